use crate::rig::Rig;
use crate::test_service::{Mood, TestService};

fn refused(mood: Mood, told: &str) {
    let (rig, service) = (Rig::new(), TestService::start(0, mood));
    let run = rig.run(&[&service.url]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains(told), "{run:?}");
    assert!(!rig.vault().exists(), "no half vault");
    let posts = service.requests();
    assert_eq!(posts.len(), 1, "asked once, nowhere else: {posts:?}");
}

#[test]
fn the_words_of_a_refusal_are_shown_without_their_control_characters() {
    refused(
        Mood::Refusing(429, "Too many tokens from here.\u{1b}[2J Come back later."),
        "Too many tokens from here. [2J Come back later.",
    );
}

#[test]
fn a_weak_service_key_is_refused() {
    refused(Mood::WeakKey, "unsafe key");
}

#[test]
fn a_redirect_is_not_followed() {
    refused(Mood::Elsewhere("http://127.0.0.1:9/v1/credentials"), "307");
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    refused(Mood::Babbling, "does not seem to be a token service");
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let rig = Rig::new();
    let run = rig.run(&["http://token.example.com"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.err.contains("https://"), "{run:?}");
}
