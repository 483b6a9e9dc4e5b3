//! Tricks with letters: directions, invisible letters, look-alikes, sound marks, widths, in every name that somebody else
//! reads or that opens something (B8, F2).

use warifu_bank::kana::fold_name;
use warifu_bank::staff::Role;

use super::ground::Ground;
use crate::bank::sign_in::PASSWORD;
use crate::harness::Engine;

both_engines!(
    a_payees_name_is_what_a_record_holds_or_is_refused,
    a_name_at_the_staffs_counter_has_no_letter_that_is_not_seen,
    what_one_of_the_staff_writes_hides_nothing_from_the_one_who_approves,
    a_mail_address_is_one_address_and_nothing_more,
    an_id_and_a_code_mean_the_same_in_every_width_and_nothing_in_disguise,
    what_is_typed_is_shown_as_text_wherever_it_is_shown,
);

const ID: &str = "12345678901";

/// Letters that are not seen, turn the text around, or hang on another.
const UNSEEN: [&str; 22] = [
    "\u{202e}",
    "\u{202a}",
    "\u{202b}",
    "\u{202d}",
    "\u{2066}",
    "\u{2067}",
    "\u{2068}",
    "\u{2069}",
    "\u{200e}",
    "\u{200f}",
    "\u{061c}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{00ad}",
    "\u{034f}",
    "\u{115f}",
    "\u{3164}",
    "\u{e0041}",
    "\u{fe0f}",
];

/// What no record holds.
const NO_NAMES: [&str; 38] = [
    // Look-alikes: Cyrillic, Greek, mathematical, enclosed, kanji that look like kana, compatibility forms.
    "\u{0410}BC",
    "\u{0391}BC",
    "𝐀BC",
    "ⒶBC",
    "ＡＢＣ\u{0301}",
    "二ホン",
    "力タカナ",
    "ロ\u{4e00}",
    "㍿ミホン",
    "㌍",
    "ﾐﾎﾝ・ｼﾖｳｼﾞ",
    "ヷ",
    "〲",
    "𛀀",
    "ㇰ",
    "ゟ",
    // Sound marks that hang on nothing, or on the wrong letter.
    "ﾞミホン",
    "゛",
    "アﾟ",
    "ンﾞ",
    "ミ\u{3099}ホン",
    "ハ\u{309a}\u{309a}",
    "カ\u{3099}\u{3099}",
    "A\u{3099}",
    // Formulas, markup, controls.
    "=1+1",
    "+81",
    "@SUM",
    "<b>",
    "ミホン\"",
    "'ミホン",
    "ミホン\u{0}",
    "ミホン\u{7f}",
    "ミホン\u{85}",
    "ミホ\u{2028}ン",
    "ミホン\r\nSet-Cookie: a",
    "\t",
    "\u{3000}",
    "",
];

async fn a_payees_name_is_what_a_record_holds_or_is_refused(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut customer = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let mut typed = |name: &str| {
        let mut fields = ground.transfer(1, 1_000);
        fields.retain(|(field, _)| *field != "name");
        fields.push(("name", name.to_owned()));
        customer.orders("/transfer", &fields)
    };
    for letter in UNSEEN {
        for name in [
            format!("ミホン{letter}"),
            format!("{letter}ミホン"),
            format!("ミ{letter}ホン"),
        ] {
            assert_eq!(typed(&name), "422", "{name:?}");
        }
    }
    let long = "ガ".repeat(16);
    for name in NO_NAMES.into_iter().chain([long.as_str()]) {
        let told = typed(name);
        assert!(["422", "400"].contains(&told.as_str()), "{name:?}: {told}");
    }
    // One name, however it is typed, composed or not: one payee.
    for name in [
        "ガギパ",
        "カ\u{3099}キ\u{3099}ハ\u{309a}",
        "ｶﾞｷﾞﾊﾟ",
        "がぎぱ",
        " ガギパ　",
    ] {
        let confirm = typed(name);
        assert!(confirm.starts_with("/confirm/"), "{name:?}: {confirm}");
        assert_eq!(fold_name(name).unwrap(), "ｶﾞｷﾞﾊﾟ");
    }
    ground.close().await;
}

async fn a_name_at_the_staffs_counter_has_no_letter_that_is_not_seen(engine: Engine) {
    let ground = Ground::new(engine).await;
    let mut teller = ground.member(Role::Teller);
    let mut open = |name: &str, kana: &str| {
        let key = teller.key_at("/contracts/new");
        let fields = [
            ("key", key.as_str()),
            ("name", name),
            ("kana", kana),
            ("branch", "101"),
            ("language", "ja"),
        ];
        teller.post("/contracts/new", &fields).status
    };
    let contracts = "SELECT COUNT(*) FROM contracts";
    let mut taken = Vec::new();
    for letter in UNSEEN {
        for name in [
            format!("見本{letter}花子"),
            format!("{letter}見本"),
            format!("見本{letter}"),
        ] {
            if open(&name, "ミホン") != 422 {
                taken.push(format!("{name:?}"));
            }
        }
        assert_eq!(
            open("見本 花子", &format!("ミホン{letter}")),
            422,
            "{letter:?}"
        );
    }
    for name in [
        "見本\u{2028}花子",
        "見\u{0301}本",
        "見本\u{fffc}",
        "\u{3000}",
        "",
    ] {
        if ![422, 400].contains(&open(name, "ミホン")) {
            taken.push(format!("{name:?}"));
        }
    }
    assert!(taken.is_empty(), "{}", taken.join(" "));
    assert_eq!(ground.site.place.count(contracts), 0);
    assert_eq!(open("見本 花子", "ミホン ハナコ"), 200);
    assert_eq!(open("Mihon-O'Hara Anna", "ミホン アンナ"), 200);
    assert_eq!(ground.site.place.count(contracts), 2);
    ground.close().await;
}

async fn what_one_of_the_staff_writes_hides_nothing_from_the_one_who_approves(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 0).await;
    ground.site.registered(contract).await;
    let mut teller = ground.member(Role::Teller);
    let page = format!("/contracts/{ID}");
    teller.get(&page);
    let mut texts: Vec<_> = UNSEEN
        .iter()
        .map(|letter| format!("本人{letter}確認済み"))
        .collect();
    texts.extend(["あ".repeat(201), "\u{2028}".into(), " ".into()]);
    for text in &texts {
        let ask = [("kind", "unlock"), ("why", text.as_str())];
        assert_eq!(
            teller.posts(&format!("{page}/ask"), &ask),
            "422",
            "{text:?}"
        );
        let stop = [("reason", "lost"), ("asked", text.as_str())];
        assert_eq!(
            teller.posts(&format!("{page}/stop"), &stop),
            "422",
            "{text:?}"
        );
    }
    let approvals = "SELECT COUNT(*) FROM approvals";
    assert_eq!(ground.site.place.count(approvals), 0);
    let ask = [("kind", "unlock"), ("why", "本人からの電話")];
    assert_eq!(teller.posts(&format!("{page}/ask"), &ask), "/approvals");
    assert_eq!(ground.site.place.count(approvals), 1);
    ground.close().await;
}

async fn a_mail_address_is_one_address_and_nothing_more(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 0).await;
    let token = ground.site.registered(contract).await;
    let mut customer = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let mut typed = |address: &str| customer.posts("/profile/mail", &[("to", address)]);
    let long = format!("{}@example.co.jp", "a".repeat(65));
    for address in [
        "a@example.co.jp\r\nBcc: b@evil.example",
        "a@example.co.jp\nBcc: b@evil.example",
        "a@example.co.jp%0d%0aBcc: b@evil.example",
        "a@example.co.jp, b@evil.example",
        "a@example.co.jp; b@evil.example",
        "a@example.co.jp b@evil.example",
        "<a@example.co.jp>",
        "Anna <a@example.co.jp>",
        "\"a b\"@example.co.jp",
        "a@b@example.co.jp",
        "a@localhost",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        "a@example.co.jp.",
        "a@-example.co.jp",
        "a@ex\u{202e}ample.co.jp",
        "a\u{200b}@example.co.jp",
        "а@example.co.jp",
        "a@exаmple.co.jp",
        "a@例え.jp",
        "a@example.co。jp",
        "a(b)@example.co.jp",
        "a@example.co.jp\u{0}",
        "@example.co.jp",
        "a@",
        "-oQ/tmp -X/tmp/x@example.co.jp",
        &long,
    ] {
        let told = typed(address);
        assert!(
            ["422", "400"].contains(&told.as_str()),
            "{address:?}: {told}"
        );
    }
    assert!(typed("ａ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ").starts_with("/confirm/"));
    ground.close().await;
}

async fn an_id_and_a_code_mean_the_same_in_every_width_and_nothing_in_disguise(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.site.contract(ID, 1, 0);
    let contract = ID.parse().unwrap();
    // パ as one letter in the bank's records, typed as a keyboard of another maker writes it.
    ground.site.give_password(contract, None).await;
    let wide = "１２３４５６７８９０１";
    for (number, (id, password, to)) in [
        (ID, PASSWORD, "/top"),
        (wide, PASSWORD, "/top"),
        (" 12345678901 ", PASSWORD, "/top"),
        // Digits of other scripts, invisible letters inside, a password that is nearly right.
        ("١٢٣٤٥٦٧٨٩٠١", PASSWORD, "422"),
        ("१२३४५६७८९०१", PASSWORD, "422"),
        ("𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗𝟎𝟏", PASSWORD, "422"),
        ("12345\u{200b}678901", PASSWORD, "422"),
        ("\u{202e}10987654321", PASSWORD, "422"),
        (ID, "Correct horse battery", "422"),
        (ID, "correct horse battery ", "422"),
        (ID, "correct\u{a0}horse battery", "422"),
        (ID, "ｃorrect horse battery", "422"),
        (ID, "correct\u{200b} horse battery", "422"),
        (ID, "%", "422"),
        (ID, "' OR '1'='1", "422"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut person = ground.person(&format!("198.51.{number}.1"));
        let told = person.posts("/login", &[("id", id), ("password", password)]);
        assert_eq!(told, to, "{id:?} {password:?}");
    }
    // Whatever the spelling, it is one lane: five tries of this ID from here, and no more by typing it otherwise.
    let mut script = ground.person("198.51.200.1");
    let mut told = Vec::new();
    for id in [
        ID,
        wide,
        " 12345678901",
        "１2345678901",
        "12345678901　",
        wide,
        ID,
    ] {
        told.push(script.posts("/login", &[("id", id), ("password", "guessed")]));
    }
    assert_eq!(told, ["422", "422", "422", "422", "422", "429", "429"]);
    ground.close().await;
}

async fn what_is_typed_is_shown_as_text_wherever_it_is_shown(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(ID, 1, 1_000).await;
    let mut customer = ground.signed_in(ID, None, "203.0.113.5");
    let account = crate::harness::customer_account(1).to_stored();
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' autofocus onfocus='alert(1)",
        "</title><script>",
        "{{7*7}}${7*7}#{7*7}",
        "javascript:alert(1)",
        "&lt;script&gt;",
        "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
        "－－＞＜ｓｃｒｉｐｔ＞",
    ] {
        let typed: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let page = customer.get(&format!("/accounts/{account}?text={typed}"));
        let mut answers = vec![page];
        for (path, field) in [
            ("/transfer", "name"),
            ("/profile/mail", "to"),
            ("/login", "id"),
        ] {
            answers.push(customer.post(path, &[(field, text), ("password", "x")]));
        }
        for reply in answers {
            let kind = reply.header("content-type");
            assert_eq!(kind, Some("text/html; charset=utf-8"), "{text}");
            let page = reply.text();
            for mark in [
                "<script>alert",
                "<img src=x",
                "' autofocus onfocus",
                "</title><script",
                "href=\"javascript",
            ] {
                assert!(!page.contains(mark), "{text}: {page}");
            }
        }
    }
    ground.close().await;
}
