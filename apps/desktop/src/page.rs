//! The page: the web token's own files, and what a desktop program has besides (`page/`). All lies inside the program.

use std::borrow::Cow;
use std::sync::LazyLock;

use tauri::utils::assets::{AssetKey, AssetsIter, CspHash};
use tauri::{App, Assets, Runtime};

macro_rules! web {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../../web-token/", $name)).as_slice(),
        )
    };
}

macro_rules! own {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../page/", $name)).as_slice())
    };
}

/// The web token's files, less what is for browsers alone: worker, manifest, icons to install.
static FILES: [(&str, &[u8]); 22] = [
    web!("app.css"),
    web!("backend.js"),
    web!("clipboard.js"),
    web!("clock.js"),
    web!("dom.js"),
    web!("exchange.js"),
    web!("face.js"),
    web!("lock.js"),
    web!("main.js"),
    web!("mark.svg"),
    web!("service.js"),
    web!("store.js"),
    web!("texts.js"),
    web!("texts_en.js"),
    web!("texts_ja.js"),
    web!("totp.js"),
    own!("desktop.css"),
    own!("desktop.js"),
    own!("desktop_en.js"),
    own!("desktop_ja.js"),
    own!("rust.js"),
    own!("screens.js"),
];

/// `index.html` as it is, with our screens, our look and our version; without what browsers ask for an installation.
static INDEX: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let screens = concat!(include_str!("../page/screens.html"), "</main>");
    let look = "<link rel=\"stylesheet\" href=\"desktop.css\">\n</head>";
    let version = concat!("content=\"", env!("CARGO_PKG_VERSION"), "\"");
    let page = include_str!("../../web-token/index.html")
        .replacen("</main>", screens, 1)
        .replacen("</head>", look, 1)
        .replacen("content=\"VERSION\"", version, 1);
    let kept =
        |line: &&str| !line.contains("rel=\"manifest\"") && !line.contains("apple-touch-icon");
    page.lines()
        .filter(kept)
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes()
});

const INDEX_NAME: &str = "index.html";

/// The page as Tauri asks for it.
pub(crate) struct Page;

fn content(name: &str) -> Option<&'static [u8]> {
    if name == INDEX_NAME {
        return Some(INDEX.as_slice());
    }
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, content)| *content)
}

impl<R: Runtime> Assets<R> for Page {
    fn setup(&self, _app: &App<R>) {}

    fn get(&self, key: &AssetKey) -> Option<Cow<'_, [u8]>> {
        content(key.as_ref().trim_start_matches('/')).map(Cow::Borrowed)
    }

    fn iter(&self) -> Box<AssetsIter<'_>> {
        let all = FILES
            .iter()
            .copied()
            .chain([(INDEX_NAME, INDEX.as_slice())]);
        Box::new(all.map(|(name, content)| (Cow::Borrowed(name), Cow::Borrowed(content))))
    }

    /// There is no script or style in the page itself.
    fn csp_hashes(&self, _path: &AssetKey) -> Box<dyn Iterator<Item = CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> &'static str {
        std::str::from_utf8(content(name).unwrap()).unwrap()
    }

    fn scripts() -> impl Iterator<Item = &'static str> {
        let names = FILES.iter().map(|(name, _)| *name);
        names.filter(|name| name.ends_with(".js"))
    }

    #[test]
    fn every_file_that_a_script_or_the_page_names_is_inside() {
        let mut seen = 0;
        for script in scripts() {
            // `from './x.js'` and `import('./x.js')`, in types too.
            for part in text(script).split("'./").skip(1) {
                let name = part.split('\'').next().unwrap();
                if name.ends_with(".js") {
                    assert!(content(name).is_some(), "{script} names {name}");
                    seen += 1;
                }
            }
        }
        for attribute in ["href=\"", "src=\""] {
            for part in text(INDEX_NAME).split(attribute).skip(1) {
                let name = part.split('"').next().unwrap();
                if name.contains('.') {
                    assert!(content(name).is_some(), "the page names {name}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 40, "{seen}");
    }

    #[test]
    fn the_page_has_our_screens_once_our_look_and_our_version() {
        let page = text(INDEX_NAME);
        for once in [
            "id=\"passphrase-form\"",
            "desktop.css",
            concat!("content=\"", env!("CARGO_PKG_VERSION"), "\""),
            "id=\"token\"",
            "</main>",
        ] {
            assert_eq!(page.matches(once).count(), 1, "{once}");
        }
        assert!(!page.contains("VERSION") && !page.contains("manifest"));
    }

    #[test]
    fn every_id_that_our_scripts_ask_for_is_in_the_page() {
        let page = text(INDEX_NAME);
        let mut seen = 0;
        for script in ["desktop.js", "screens.js"] {
            for call in ["at('", "field('", "word('", "addTo('"] {
                for part in text(script).split(call).skip(1) {
                    let id = part.split('\'').next().unwrap();
                    assert!(page.contains(&format!("id=\"{id}\"")), "{script}: {id}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn both_languages_have_the_same_texts_and_every_text_that_is_asked_for() {
        let keys = |name: &str| -> Vec<&str> {
            let lines = text(name)
                .lines()
                .filter_map(|line| line.trim().split_once(": "));
            lines
                .map(|(key, _)| key.trim_matches('\''))
                .filter(|key| !key.contains(' '))
                .collect()
        };
        let (ja, en) = (keys("desktop_ja.js"), keys("desktop_en.js"));
        assert!(ja.len() > 30);
        assert_eq!(ja, en);
        let known = |key: &str| ja.contains(&key) || keys("texts_ja.js").contains(&key);
        for part in text(INDEX_NAME).split("data-text=\"").skip(1) {
            let key = part.split('"').next().unwrap();
            assert!(known(key), "{key}");
        }
        for script in ["desktop.js", "screens.js"] {
            for part in text(script).split("'desktop-").skip(1) {
                let key = format!("desktop-{}", part.split('\'').next().unwrap());
                assert!(known(&key), "{key}");
            }
        }
    }
}
