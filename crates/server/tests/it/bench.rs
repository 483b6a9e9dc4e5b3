//! `warifu bench`: prepared into an empty installation alone, a few seconds of every kind, and its figures read again.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Engine, Outcome, Place, Server, run_program};

both_engines!(
    a_few_seconds_of_a_day_are_carried_out_to_the_last_page_and_all_of_it_is_there,
    sample_data_goes_into_an_empty_installation_alone,
);

/// An installation of both, with nothing in it.
struct Installation {
    tokens: Place,
    /// Gone with the test.
    _bank: Place,
    config: PathBuf,
}

impl Installation {
    fn new(engine: Engine) -> Self {
        let (tokens, bank) = match engine {
            Engine::Sqlite => (Place::empty(engine), Place::empty(engine)),
            Engine::Postgres => (Place::new(engine), Place::of_bank(engine)),
        };
        let database = |place: &Place| match engine {
            Engine::Sqlite => String::new(),
            Engine::Postgres => format!("database = '{}'\n", place.url()),
        };
        let text = format!(
            "data_dir = '{}'\n[token_service]\nlisten = '127.0.0.1:0'\n{}[metrics]\nlisten = '127.0.0.1:0'\n\
             [bank]\nlisten = '127.0.0.1:0'\nstaff_listen = '127.0.0.1:0'\n{}[log]\nformat = 'json'\n",
            tokens.data().display(),
            database(&tokens),
            database(&bank)
        );
        let config = tokens.folder.path().join("warifu.toml");
        std::fs::write(&config, text).unwrap();
        Self {
            tokens,
            _bank: bank,
            config,
        }
    }

    fn data(&self) -> PathBuf {
        self.tokens.data()
    }

    fn warifu(&self, words: &[&str]) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warifu"));
        run_program(command.arg("--config").arg(&self.config).args(words))
    }

    fn serve(&self) -> Server {
        Server::start(&self.config)
    }

    fn prepare(&self) -> Outcome {
        self.warifu(&[
            "bench",
            "prepare",
            "--credentials",
            "600",
            "--contracts",
            "40",
        ])
    }
}

async fn a_few_seconds_of_a_day_are_carried_out_to_the_last_page_and_all_of_it_is_there(
    engine: Engine,
) {
    let site = Installation::new(engine);
    site.prepare().require_success();
    let secrets = site.data().join("bench-secrets.json");
    let mode = std::fs::metadata(&secrets).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let server = site.serve();
    let (bank, tokens) = (server.bank.unwrap(), server.address);
    let (json, html) = (site.data().join("r.json"), site.data().join("r.html"));
    let run = |words: &[&str]| {
        let mut all: Vec<String> = ["bench", "--lang", "en", "--customers", "20"]
            .map(str::to_owned)
            .to_vec();
        all.extend([
            format!("--bank=http://{bank}"),
            format!("--tokens=http://{tokens}"),
            format!("--server-pid={}", server.process()),
            format!("--json={}", json.display()),
            format!("--report={}", html.display()),
        ]);
        all.extend(words.iter().map(|word| (*word).to_owned()));
        let words: Vec<_> = all.iter().map(String::as_str).collect();
        site.warifu(&words).require_success()
    };
    let done = run(&["--rate", "20", "--seconds", "3"]);
    assert!(done.stdout.contains("missing 0"), "{}", done.stdout);
    let read =
        || -> serde_json::Value { serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap() };
    require_all_done(&read());
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("<svg") && page.contains("prefers-color-scheme"));
    assert!(!page.contains("src=") && !page.contains("http-equiv"));
    let text = std::fs::read_to_string(&secrets).unwrap();
    let secret: serde_json::Value = serde_json::from_str(&text).unwrap();
    for word in ["seed", "api_key", "password"] {
        assert!(!page.contains(secret[word].as_str().unwrap()), "{word}");
    }

    // The same tokens once more, whose clocks the service has learned meanwhile.
    run(&[
        "--phases",
        "20x2,60x1,20x2",
        "--arrivals",
        "even",
        "--no-check",
    ]);
    let report = read();
    assert_eq!(report["phases"].as_array().unwrap().len(), 3);
    for phase in report["phases"].as_array().unwrap() {
        for kind in phase["kinds"].as_array().unwrap() {
            let refused = kind["troubles"].to_string();
            assert!(!refused.contains("refused"), "{refused}");
        }
    }
    drop(server);
    let verified = site.warifu(&["verify"]).require_success();
    assert!(!verified.stdout.is_empty());
    site.warifu(&["audit", "verify"]).require_success();
}

/// Every operation was carried out, is in the figures, and is there when it is asked for again.
fn require_all_done(report: &serde_json::Value) {
    let phase = &report["phases"][0];
    let offered = phase["offered"].as_u64().unwrap();
    assert!((20..=100).contains(&offered), "{offered}");
    assert_eq!(phase["done"]["count"].as_u64(), Some(offered), "{phase}");
    assert_eq!(phase["failed"], 0);
    for kind in phase["kinds"].as_array().unwrap() {
        assert!(kind["offered"].as_u64().unwrap() > 0, "{kind}");
        assert!(kind["done"]["p50"].as_f64().unwrap() > 0.0, "{kind}");
    }
    let bars = report["histograms"].as_array().unwrap().iter();
    let in_bars: u64 = bars
        .flat_map(|of| of["bars"].as_array().unwrap())
        .map(|bar| bar[2].as_u64().unwrap())
        .sum();
    assert_eq!(in_bars, offered);
    let after = &report["afterwards"];
    assert_eq!(
        (&after["missing"], &after["unasked"]),
        (&0.into(), &0.into())
    );
    assert!(after["validations"].as_u64().unwrap() > 0);
    assert!(after["transfers"].as_u64().unwrap() > 0);
    assert!(!report["server"]["memory"].as_array().unwrap().is_empty());
}

async fn sample_data_goes_into_an_empty_installation_alone(engine: Engine) {
    let site = Installation::new(engine);
    // A bank of the default start holds its samples, which stand for a bank's own customers here.
    drop(site.serve());
    site.prepare()
        .require_failure(&["NOTHING WAS WRITTEN", "2 contracts"]);
    assert!(!site.data().join("bench-secrets.json").exists());
    let site = Installation::new(engine);
    site.prepare().require_success();
    site.prepare()
        .require_failure(&["NOTHING WAS WRITTEN", "600 credentials"]);
}
