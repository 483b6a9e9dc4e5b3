//! The program's window over WebDriver (W3C), in plain HTTP.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::child::{PATIENCE, Running, end, wait_for};

/// The key of an element's name (W3C WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A window; the program ends when it is dropped.
pub(crate) struct Window {
    session: String,
    driver: Running,
}

impl Window {
    pub(crate) fn open(driver: Running, port: u16, program: &str) -> Self {
        let base = format!("http://127.0.0.1:{port}");
        let options = json!({"binary": program, "args": []});
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}});
        wait_for("the driver", || {
            ureq::get(format!("{base}/status")).call().ok()
        });
        let answer = post(&format!("{base}/session"), &wanted);
        let id = answer["sessionId"].as_str().unwrap();
        let window = Self {
            session: format!("{base}/session/{id}"),
            driver,
        };
        window.speak_japanese();
        window
    }

    /// Where the machine has no Japanese locale the page begins in English.
    fn speak_japanese(&self) {
        wait_for("the page", || {
            let screen = self.screen();
            (!screen.is_empty() && screen != "starting").then_some(())
        });
        if self.script("return document.documentElement.lang") != "ja" {
            self.press("language");
        }
    }

    /// What a script in the page gives back.
    pub(crate) fn script(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        post(&format!("{}/execute/sync", self.session), &body)
    }

    /// The screen that is shown.
    pub(crate) fn screen(&self) -> String {
        let shown = "return document.querySelector('.screen:not([hidden])')?.id ?? ''";
        self.script(shown).as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn wait_for_screen(&self, id: &str) {
        let mut last = String::new();
        wait_for(&format!("the screen {id}"), || {
            let screen = self.screen();
            if screen != last {
                println!("screen: {screen} {}", self.text("failed-why"));
                last.clone_from(&screen);
            }
            (screen == id).then_some(())
        });
    }

    /// The text of an element as it is seen.
    pub(crate) fn text(&self, id: &str) -> String {
        let text = self.script(&format!("return document.getElementById('{id}').innerText"));
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// Waits until an element says something that contains `wanted`.
    pub(crate) fn wait_for_text(&self, id: &str, wanted: &str) {
        let mut last = String::new();
        wait_for(&format!("“{wanted}” in {id}"), || {
            let said = self.text(id);
            if said != last {
                println!("{id}: {said}");
                last.clone_from(&said);
            }
            said.contains(wanted).then_some(())
        });
    }

    /// Characters that are shown in groups, together.
    pub(crate) fn characters(&self, id: &str) -> String {
        let script = format!(
            "return [...document.querySelectorAll('#{id} .group')].map((g) => g.textContent).join('')"
        );
        self.script(&script).as_str().unwrap().to_owned()
    }

    /// The code that is shown, one that is good for some seconds yet.
    pub(crate) fn code(&self) -> String {
        wait_for("a code with some time left", || {
            let seconds: String = self
                .text("seconds")
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            (seconds.parse::<u8>().ok()? > 5).then_some(())
        });
        let code = self.characters("code");
        assert_eq!(code.len(), 6, "{code}");
        code
    }

    pub(crate) fn press(&self, id: &str) {
        let element = self.element(id);
        post(
            &format!("{}/element/{element}/click", self.session),
            &json!({}),
        );
    }

    pub(crate) fn enter(&self, id: &str, text: &str) {
        let element = self.element(id);
        post(
            &format!("{}/element/{element}/clear", self.session),
            &json!({}),
        );
        let body = json!({"text": text});
        post(&format!("{}/element/{element}/value", self.session), &body);
    }

    fn element(&self, id: &str) -> String {
        let body = json!({"using": "css selector", "value": format!("#{id}")});
        let found = post(&format!("{}/element", self.session), &body);
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Keeps what is seen, to be looked at: `target/screenshots/desktop-NAME.png`.
    pub(crate) fn picture(&self, name: &str) {
        // Painting is slow where the processor does it; two frames are one that is whole.
        self.script(
            "globalThis.painted = false; \
             requestAnimationFrame(() => requestAnimationFrame(() => { painted = true; }))",
        );
        wait_for("a painted page", || {
            (self.script("return painted") == true).then_some(())
        });
        thread::sleep(Duration::from_millis(500));
        let picture = get(&format!("{}/screenshot", self.session));
        let bytes = BASE64.decode(picture.as_str().unwrap().as_bytes()).unwrap();
        let folder = std::env::var_os("WARIFU_SCREENSHOTS").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots"),
            PathBuf::from,
        );
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("desktop-{name}.png")), bytes).unwrap();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The driver closes the window, which only puts the program away; a next start would find it there.
        let programs = self.driver.children();
        let agent = agent();
        let _ = agent.delete(&self.session).call();
        programs.into_iter().for_each(end);
    }
}

/// A driver that no longer answers is told so, and not waited for.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false);
    config.build().into()
}

fn post(url: &str, body: &Value) -> Value {
    value(url, agent().post(url).send_json(body).unwrap())
}

fn get(url: &str) -> Value {
    value(url, agent().get(url).call().unwrap())
}

fn value(url: &str, mut answer: ureq::http::Response<ureq::Body>) -> Value {
    let status = answer.status();
    let body: Value = answer
        .body_mut()
        .with_config()
        .limit(50_000_000)
        .read_json()
        .unwrap();
    assert!(status.is_success(), "{url}: {status} {body}");
    body["value"].clone()
}
