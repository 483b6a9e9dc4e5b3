//! 振替: between own accounts.

use super::*;

/// `GET /internal-transfer`
pub(in crate::bank_web) async fn internal_page(
    In { ask, signed }: In,
) -> Result<Response, Failure> {
    let page = internal_form(&ask, &signed, &Form::default(), &[]);
    Ok(ask.page_for(&signed, &page))
}

fn internal_form(ask: &Ask, signed: &Signed, form: &Form, errors: &[(String, String)]) -> Page {
    let overview = &signed.overview;
    let text = |name: &str, key: &str, kind: FieldKind| {
        Field::new(name, ask.say(key), kind)
            .value(form.text(name))
            .error(errors)
    };
    let accounts = ask.own_accounts(&overview.accounts);
    let mut into = accounts.clone();
    // The second account stands first where money goes into.
    into.rotate_left(usize::from(accounts.len() > 1));
    let blocks = if accounts.len() < 2 {
        vec![Block::Notice(Tone::Info, ask.say("internal-needs-two"))]
    } else {
        vec![
            Block::Errors(errors.to_vec()),
            Block::Form(PageForm {
                action: "/internal-transfer".into(),
                fields: vec![
                    text("from", "from-account", FieldKind::Select(accounts)),
                    text("to", "into-account", FieldKind::Select(into)),
                    text("amount", "amount", FieldKind::Digits).hint(ask.say("amount-hint")),
                ],
                submit: ask.say("do-next"),
                cancel: Some(("/top".into(), ask.say("do-stop"))),
                ..PageForm::default()
            }),
        ]
    };
    Page {
        title: ask.say("title-internal"),
        blocks,
        menu: "/internal-transfer",
        ..Page::default()
    }
}

/// `POST /internal-transfer`
pub(in crate::bank_web) async fn internal(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    let mut errors = Errors::new();
    let from = own_account(&ask, &form, "from", &mut errors);
    let to = own_account(&ask, &form, "to", &mut errors);
    let amount = amount(&ask, &form, "amount", &mut errors);
    if let (Some(from), Some(to), Some(amount)) = (from, to, amount) {
        let order = Order::InternalTransfer {
            from,
            to,
            amount: amount.0,
        };
        match begin(&ask, &signed, order).await? {
            Ok(response) => return Ok(response),
            Err(refusal) => errors.push((String::new(), ask.refusal(&refusal))),
        }
    }
    let page = internal_form(&ask, &signed, &form, &errors);
    Ok(ask.refused_for(&signed, &page))
}
