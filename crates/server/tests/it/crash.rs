//! S3, S7 and S9 over a crash: what was answered "accepted" was durable first.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{Engine, Server, Site, Token, fresh_key, now_step};

both_engines!(
    what_was_accepted_stays_accepted_over_five_kills,
    what_was_accepted_stays_accepted_when_the_server_is_told_to_stop,
);

/// A request that a caller sent: with its answer, or without when the server went first.
pub(crate) struct Sent {
    token: Token,
    key: String,
    code: String,
    answer: Option<String>,
}

const CALLERS: usize = 4;

/// Fresh right codes from several callers until the server is gone, which `end` brings about after some answers.
pub(crate) fn until_it_is_gone(
    server: Server,
    key: &str,
    answers: usize,
    end: impl FnOnce(Server),
) -> Vec<Sent> {
    let mut client = server.client();
    let groups: Vec<Vec<Token>> = (0..CALLERS)
        .map(|_| (0..25).map(|_| client.token()).collect())
        .collect();
    let (address, answered) = (server.address, AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let callers: Vec<_> = groups
            .into_iter()
            .map(|tokens| {
                let party = crate::harness::Party::new(address, key);
                scope.spawn(|| call(party, tokens, &answered))
            })
            .collect();
        while answered.load(Ordering::SeqCst) < answers {
            assert!(!callers.iter().all(|caller| caller.is_finished()));
            std::thread::yield_now();
        }
        end(server);
        callers
            .into_iter()
            .flat_map(|caller| caller.join().unwrap())
            .collect()
    })
}

fn call(mut party: crate::harness::Party, tokens: Vec<Token>, answered: &AtomicUsize) -> Vec<Sent> {
    let mut all = Vec::new();
    for offset in -1..=1 {
        for token in &tokens {
            let (key, code) = (fresh_key(), token.text(now_step().offset(offset)));
            let reply: io::Result<_> = party.validate(token.id, &key, &code);
            let gone = reply.is_err();
            all.push(Sent {
                token: token.clone(),
                key,
                code,
                answer: reply.ok().map(|reply| reply.result()),
            });
            if gone {
                return all;
            }
            answered.fetch_add(1, Ordering::SeqCst);
        }
    }
    all
}

/// After a restart: accepted is accepted to the same request, and never again to another.
pub(crate) fn require_held(server: &Server, key: &str, sent: &[Sent]) {
    let mut party = server.party(key);
    let accepted = |answer: &Option<String>| answer.as_deref() == Some("accepted");
    assert!(sent.iter().any(|sent| accepted(&sent.answer)));
    for sent in sent {
        let mut ask = |key: &str| {
            let reply = party.validate(sent.token.id, key, &sent.code);
            reply.unwrap().result()
        };
        let again = ask(&sent.key);
        match &sent.answer {
            Some(answer) => assert_eq!(&again, answer),
            // Nobody heard the answer: it stands now, whichever it is.
            None => assert_eq!(ask(&sent.key), again),
        }
        if again == "accepted" {
            assert_eq!(ask(&fresh_key()), "replayed");
        }
    }
}

pub(crate) fn kills(engine: Engine, count: usize, progress: impl Fn(usize)) {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    for number in 0..count {
        let answers = 10 + 37 * number % 200;
        let sent = until_it_is_gone(site.serve(), &key, answers, Server::kill);
        let server = site.serve();
        require_held(&server, &key, &sent);
        site.require_whole();
        server.kill();
        progress(number);
    }
}

async fn what_was_accepted_stays_accepted_over_five_kills(engine: Engine) {
    kills(engine, 5, |_| ());
}

async fn what_was_accepted_stays_accepted_when_the_server_is_told_to_stop(engine: Engine) {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    let sent = until_it_is_gone(site.serve(), &key, 60, |server| {
        assert_eq!(server.stop().code(), Some(0));
    });
    site.require_whole();
    require_held(&site.serve(), &key, &sent);
}
