//! RFC 6287 appendix C.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint's exception covers only #[test] functions"
)]

use warifu_oath::ocra::{Inputs, Ocra, PinHash, Question, Suite};
use warifu_oath::{Algorithm, Secret, TimeStep};

use super::{KEY_20, KEY_32, KEY_64};

/// The PIN of the vectors.
const PIN: &[u8] = b"1234";
/// The minute of the vectors: 2008-03-25 12:06 UTC, in minutes since the epoch.
const MINUTE: TimeStep = TimeStep(0x0132_d0b6);

fn ocra(suite: &str) -> Ocra {
    let suite = Suite::parse(suite).unwrap();
    let key = match suite.algorithm() {
        Algorithm::Sha1 => KEY_20,
        Algorithm::Sha256 => KEY_32,
        Algorithm::Sha512 => KEY_64,
    };
    Ocra::new(suite, &Secret::from_bytes(key).unwrap())
}

/// Checks one response, giving the PIN and the minute when the suite has them.
fn check(suite: &str, counter: Option<u64>, question: Question<'_>, response: &str) {
    let ocra = ocra(suite);
    let pin = PinHash::of(Algorithm::Sha1, PIN);
    let inputs = Inputs {
        counter,
        pin: ocra.suite().pin().map(|_| &pin),
        time: ocra.suite().period().map(|_| MINUTE),
        ..Inputs::new(question)
    };
    let computed = ocra.respond(&inputs).unwrap();
    assert_eq!(computed.as_str(), response, "{suite} {question:?}");
}

#[test]
fn the_one_way_vectors_of_six_digits_hold() {
    let responses = [
        "237653", "243178", "653583", "740991", "608993", "388898", "816933", "224598", "750600",
        "294470",
    ];
    for (digit, response) in responses.into_iter().enumerate() {
        let question = digit.to_string().repeat(8);
        let question = Question::One(&question);
        check("OCRA-1:HOTP-SHA1-6:QN08", None, question, response);
    }
}

#[test]
fn the_one_way_vectors_with_a_counter_and_a_pin_hold() {
    let responses = [
        "65347737", "86775851", "78192410", "71565254", "10104329", "65983500", "70069104",
        "91771096", "75011558", "08522129",
    ];
    let suite = "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1";
    for (counter, response) in (0..).zip(responses) {
        check(suite, Some(counter), Question::One("12345678"), response);
    }
}

#[test]
fn the_one_way_vectors_with_a_pin_hold() {
    let responses = ["83238735", "01501458", "17957585", "86776967", "86807031"];
    for (digit, response) in responses.into_iter().enumerate() {
        let question = digit.to_string().repeat(8);
        let question = Question::One(&question);
        check("OCRA-1:HOTP-SHA256-8:QN08-PSHA1", None, question, response);
    }
}

#[test]
fn the_one_way_vectors_with_a_counter_hold() {
    let responses = [
        "07016083", "63947962", "70123924", "25341727", "33203315", "34205738", "44343969",
        "51946085", "20403879", "31409299",
    ];
    for (counter, response) in (0_u64..).zip(responses) {
        let question = counter.to_string().repeat(8);
        let question = Question::One(&question);
        let suite = "OCRA-1:HOTP-SHA512-8:C-QN08";
        check(suite, Some(counter), question, response);
    }
}

#[test]
fn the_one_way_vectors_with_a_time_hold() {
    let responses = ["95209754", "55907591", "22048402", "24218844", "36209546"];
    for (digit, response) in responses.into_iter().enumerate() {
        let question = digit.to_string().repeat(8);
        let question = Question::One(&question);
        check("OCRA-1:HOTP-SHA512-8:QN08-T1M", None, question, response);
    }
}

/// The server's responses and then the client's, each with its suite.
const MUTUAL: [[(&str, [&str; 5]); 2]; 2] = [
    [
        (
            "OCRA-1:HOTP-SHA256-8:QA08",
            ["28247970", "01984843", "65387857", "03351211", "83412541"],
        ),
        (
            "OCRA-1:HOTP-SHA256-8:QA08",
            ["15510767", "90175646", "33777207", "95285278", "28934924"],
        ),
    ],
    [
        (
            "OCRA-1:HOTP-SHA512-8:QA08",
            ["79496648", "76831980", "12250499", "90856481", "12761449"],
        ),
        (
            "OCRA-1:HOTP-SHA512-8:QA08-PSHA1",
            ["18806276", "70020315", "01600026", "18951020", "32528969"],
        ),
    ],
];

#[test]
fn the_mutual_vectors_hold_on_both_sides() {
    for [(server_suite, server), (client_suite, client)] in MUTUAL {
        for (at, (server, client)) in server.into_iter().zip(client).enumerate() {
            let (asked_by_client, asked_by_server) =
                (format!("CLI2222{at}"), format!("SRV1111{at}"));
            let to_server = Question::Mutual {
                verifier: &asked_by_client,
                responder: &asked_by_server,
            };
            check(server_suite, None, to_server, server);
            let to_client = Question::Mutual {
                verifier: &asked_by_server,
                responder: &asked_by_client,
            };
            check(client_suite, None, to_client, client);
        }
    }
}

#[test]
fn the_signature_vectors_hold() {
    let responses = ["53095496", "04110475", "31331128", "76028668", "46554205"];
    for (at, response) in responses.into_iter().enumerate() {
        let text = format!("SIG1{at}000");
        let question = Question::One(&text);
        check("OCRA-1:HOTP-SHA256-8:QA08", None, question, response);
    }
}

#[test]
fn the_signature_vectors_with_a_time_hold() {
    let responses = ["77537423", "31970405", "10235557", "95213541", "65360607"];
    for (at, response) in responses.into_iter().enumerate() {
        let text = format!("SIG1{at}00000");
        let question = Question::One(&text);
        check("OCRA-1:HOTP-SHA512-8:QA10-T1M", None, question, response);
    }
}

#[test]
fn the_minute_of_the_vectors_is_the_one_the_rfc_names() {
    let suite = Suite::parse("OCRA-1:HOTP-SHA512-8:QN08-T1M").unwrap();
    // 2008-03-25 12:06:30 UTC.
    let minute = TimeStep::from_unix_seconds(1_206_446_790, suite.period().unwrap());
    assert_eq!(minute, MINUTE);
}
