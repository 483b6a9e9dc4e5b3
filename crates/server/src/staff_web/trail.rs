//! A contract's trail in words.

use warifu_bank::notice::Event;
use warifu_bank::yen::Yen;

use crate::bank_store::event::Stored;
use crate::bank_web::ask::Ask;
use crate::mail;
use crate::web::page::Cell;

/// When, by whom, what, with which details, and from which address.
pub(super) fn row(ask: &Ask, event: &Stored) -> Vec<Cell> {
    let (what, details) = what(ask, event);
    vec![
        Cell::short(ask.moment(event.at)),
        Cell::short(actor(ask, &event.actor)),
        Cell::text(what),
        Cell::prose(details),
        Cell::short(&event.address),
    ]
}

fn actor(ask: &Ask, actor: &str) -> String {
    match actor {
        "customer" => ask.say("trail-customer"),
        "bank" => ask.say("trail-bank"),
        member => member.strip_prefix("staff:").unwrap_or(member).to_owned(),
    }
}

/// What a customer was told of is said as he was told; the rest has words of its own. What neither knows is shown as it
/// stands, so that nothing of a trail is ever left out.
fn what(ask: &Ask, event: &Stored) -> (String, String) {
    if let Some(told) = told(&event.word, &event.details) {
        let told = mail::tell(&told, ask.language);
        let lines = [Some(told.text), told.receipt];
        let lines: Vec<_> = lines.into_iter().flatten().collect();
        return (told.headline, lines.join("\n"));
    }
    let details = match event.word.as_str() {
        "deposited" => match Yen::typed(&event.details) {
            Some(amount) => ask.yen(amount),
            None => event.details.clone(),
        },
        "asked" | "approved" | "declined" => ask.say(&format!("approval-{}", event.details)),
        "opened" | "signed-in" | "password-set" | "mail-address-changed" | "stop-asked-by" => {
            event.details.clone()
        }
        _ => return (event.word.clone(), event.details.clone()),
    };
    (ask.say(&format!("trail-{}", event.word)), details)
}

/// What the customer was told of. The row's word has to say the same: other rows hold what somebody wrote.
fn told(word: &str, details: &str) -> Option<Event> {
    Event::from_stored(details).filter(|event| event.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_writes_himself_an_event_into_a_trail() {
        let event = Event::EmergencyLifted;
        let stored = event.to_stored();
        assert_eq!(told(event.word(), &stored), Some(event));
        assert_eq!(told("stop-asked-by", &stored), None);
        assert_eq!(told("stop-asked-by", "本人からの電話"), None);
    }
}
