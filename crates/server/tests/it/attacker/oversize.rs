//! Too much, and forms that no page of the bank sends: bodies without an end, fields by the thousand, other encodings,
//! fields that come twice. Each is refused before anything is done, and the next customer notices nothing.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use warifu::http::Doors;

use super::ground::{Ground, OWN_FORM, connect_from, form};
use crate::bank::sign_in::PASSWORD;
use crate::harness::{Engine, customer_account};

both_engines!(
    a_body_without_an_end_is_read_no_further_than_a_form_is_long,
    a_form_in_another_shape_does_nothing,
    a_query_of_any_size_or_shape_is_answered_without_a_fault,
);

const ID: &str = "12345678901";

async fn a_body_without_an_end_is_read_no_further_than_a_form_is_long(engine: Engine) {
    let doors = Doors {
        patience: Duration::from_secs(1),
        ..Doors::new(64, 8)
    };
    let ground = Ground::with(engine, doors).await;
    let head = "POST /login HTTP/1.1\r\nHost: bank.example\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n";
    for framing in [
        "Content-Length: 1099511627776",
        "Transfer-Encoding: chunked",
    ] {
        let chunked = framing.starts_with("Transfer");
        let mut stream = connect_from([127, 0, 0, 66], ground.bank).await.unwrap();
        stream
            .write_all(format!("{head}{framing}\r\n\r\n").as_bytes())
            .unwrap();
        let block = "a".repeat(4_096);
        let block = if chunked {
            format!("1000\r\n{block}\r\n")
        } else {
            block
        };
        let mut sent = 0;
        // Sent until nobody takes it: far less than a terabyte.
        while stream.write_all(block.as_bytes()).is_ok() {
            sent += block.len();
            assert!(sent < 64 << 20, "{framing}: {sent} bytes were taken");
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
            "{answer}"
        );
    }
    assert_eq!(ground.person("203.0.113.5").get("/").status, 200);
    ground.close().await;
}

/// Bodies that no page of the bank sends, of a good form and of one without its code; what each is answered.
fn bodies(good: &str, wrong: &str, code: &str) -> Vec<(String, u16)> {
    let many = "&x=1".repeat(70);
    let long = "x".repeat(16 * 1024 + 1 - good.len() - "&x=".len());
    vec![
        // The field twice, whichever of them is right; as an array; with a name that is nearly its own.
        (format!("{good}&code={code}"), 400),
        (format!("{good}&code=000000"), 400),
        (format!("{good}&code="), 400),
        (format!("{wrong}&code[]={code}"), 422),
        (format!("{wrong}&code[0]={code}"), 422),
        (format!("{wrong}&code%5B%5D={code}"), 422),
        (format!("{wrong}&Code={code}"), 422),
        (format!("{wrong}&code%00={code}"), 400),
        (format!("{wrong}& code={code}"), 422),
        (format!("{wrong};code={code}"), 403),
        // Bytes that are no text, or no text of one line.
        (format!("{good}%00"), 400),
        (format!("{wrong}&code={code}%0d%0a"), 400),
        (format!("{wrong}&code=%ff%fe{code}"), 400),
        (format!("{wrong}&code=%c0%b1"), 400),
        (format!("{wrong}&code=%u0031"), 422),
        (format!("{wrong}&code={code}1"), 422),
        (format!("{wrong}&code=-{}", &code[1..]), 422),
        // Too many fields, too long a one.
        (format!("{good}{many}"), 400),
        (format!("{good}&x={long}"), 413),
        (String::new(), 403),
    ]
}

async fn a_form_in_another_shape_does_nothing(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut customer = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let confirm = customer.orders("/transfer", &ground.transfer(1, 1_000));
    customer.get(&confirm);
    let code = ground.site.code(&token).to_string();
    let good = form(&customer.token, &[("code", &code)]);
    let wrong = form(&customer.token, &[]);
    for (body, status) in bodies(&good, &wrong, &code) {
        let reply = customer.send("POST", &confirm, &OWN_FORM, body.as_bytes());
        let short = body.get(..80).unwrap_or(&body);
        assert_eq!(reply.status, status, "{short}");
    }
    for (kind, status) in [
        ("application/json", 400),
        ("text/plain", 400),
        ("multipart/form-data; boundary=x", 400),
        ("application/x-www-form-urlencoded, text/plain", 400),
        ("application/xml", 400),
        ("", 400),
    ] {
        let headers = [("Content-Type", kind), OWN_FORM[1]];
        let reply = customer.send("POST", &confirm, &headers, good.as_bytes());
        assert_eq!(reply.status, status, "{kind}");
    }
    // A body that says it is packed is not unpacked: no bomb goes off, and no form is in it.
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let bomb = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3, 0xed, 0xc1, 0x01];
        let headers = [OWN_FORM[0], OWN_FORM[1], ("Content-Encoding", encoding)];
        let reply = customer.send("POST", &confirm, &headers, &bomb);
        assert!(
            (400..500).contains(&reply.status),
            "{encoding}: {}",
            reply.status
        );
    }
    assert_eq!(ground.site.balance(customer_account(1)), 100_000);
    // Of all that, no more than a few were tries of a code: the right one is taken still.
    let confirm = customer.orders("/transfer", &ground.transfer(1, 1_000));
    assert!(
        customer
            .posts(&confirm, &[("code", &code)])
            .starts_with("/result/")
    );
    ground.close().await;
}

async fn a_query_of_any_size_or_shape_is_answered_without_a_fault(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(ID, 1, 0).await;
    let mut customer = ground.signed_in(ID, None, "203.0.113.5");
    let account = customer_account(1).to_stored();
    let long = "a".repeat(12_000);
    let many = "a=1&".repeat(3_000);
    for query in [
        "text=%00",
        "text=%ff",
        "text=%0d%0aSet-Cookie:%20a=b",
        "text=a&text=b",
        "text[]=a",
        "from=99999999999-01-01",
        "from=2026-02-30",
        "from=%EF%BC%92026-01-01",
        "before=NaN",
        "before=-9223372036854775808",
        "&&&===",
        "%",
        "%zz",
        "text=%25_%5C%27%22;--",
        &long,
        &many,
    ] {
        for path in ["/", "/transfer", "/banks", "/language/en"] {
            let reply = customer.get(&format!("{path}?{query}"));
            assert!(reply.status < 500, "{path}: {}", reply.status);
            assert!(
                !reply
                    .headers()
                    .iter()
                    .any(|(_, value)| value.contains("a=b"))
            );
        }
        let reply = customer.get(&format!("/accounts/{account}?{query}"));
        assert!(
            reply.status < 500,
            "{}: {}",
            query.get(..40).unwrap_or(query),
            reply.status
        );
    }
    let login = [("id", ID), ("password", PASSWORD)];
    assert_eq!(ground.person("203.0.113.5").posts("/login", &login), "/top");
    ground.close().await;
}
