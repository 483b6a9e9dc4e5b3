//! The fuzz targets over their corpus and over mutations of it, without a fuzzer.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use warifu_outside::{TARGETS, Target};

/// Mutations of a target's corpus in a normal run; `WARIFU_MUTATIONS` asks for another number.
const MUTATIONS: u32 = 2_000;

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz");

/// One change to the bytes of a seed.
#[derive(Debug, Clone)]
enum Change {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// Something that parsers trip over.
    Word(Index, &'static str),
    /// A piece of another seed.
    Splice(Index, Index, Index),
    Cut(Index),
    Double,
}

const WORDS: [&str; 20] = [
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\u{feff}",
    "\u{202e}",
    "\u{3000}",
    "９",
    "ﾞ",
    "が",
    "%",
    "%00",
    "&",
    "=",
    "\"",
    "\\",
    "{",
    "18446744073709551616",
    "-1",
    "1e400",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (any::<Index>(), vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), 1..8_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), prop::sample::select(WORDS.to_vec()))
            .prop_map(|(at, word)| Change::Word(at, word)),
        (any::<Index>(), any::<Index>(), any::<Index>())
            .prop_map(|(at, seed, from)| Change::Splice(at, seed, from)),
        any::<Index>().prop_map(Change::Cut),
        Just(Change::Double),
    ]
}

fn apply(change: &Change, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let place = |index: &Index, bytes: &Vec<u8>| index.index(bytes.len() + 1);
    match change {
        Change::Put(at, byte) => {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
        }
        Change::Insert(at, new) => {
            let at = place(at, bytes);
            bytes.splice(at..at, new.iter().copied());
        }
        Change::Word(at, word) => {
            let at = place(at, bytes);
            bytes.splice(at..at, word.bytes());
        }
        Change::Remove(at, count) => {
            let at = place(at, bytes);
            let end = (at + count).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Splice(at, seed, from) => {
            let other = seed.get(corpus);
            let from = from.index(other.len() + 1);
            let at = place(at, bytes);
            bytes.splice(at..at, other[from..].iter().copied());
        }
        Change::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
        Change::Double => bytes.extend_from_within(..bytes.len().min(4096)),
    }
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(FUZZ).join("corpus").join(target.name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn mutations() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "a test may be asked to do more")]
    let asked = std::env::var("WARIFU_MUTATIONS").ok();
    asked.map_or(MUTATIONS, |count| count.parse().expect("a number"))
}

fn attack(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{name} has no corpus");
    corpus.iter().for_each(|seed| (target.run)(seed));
    let config = Config {
        cases: mutations(),
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (any::<Index>(), vec(change(), 1..6));
    let outcome = TestRunner::new(config).run(&strategy, |(seed, changes)| {
        let mut bytes = seed.get(&corpus).clone();
        for change in &changes {
            apply(change, &mut bytes, &corpus);
        }
        (target.run)(&bytes);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{name}: {error}");
    }
}

macro_rules! targets {
    ($($target:ident),* $(,)?) => {
        /// A test of its own for each target, so that they run side by side and a fault names its target.
        const TESTED: &[&str] = &[$(stringify!($target)),*];
        $(
            #[test]
            fn $target() {
                attack(stringify!($target));
            }
        )*
    };
}

targets!(
    api_body,
    api_head,
    bank_form,
    bank_typed,
    checkpoint,
    configuration,
    key_source,
    oath_base32,
    oath_ocra_suite,
    oath_otpauth_uri,
    token_reads,
);

#[test]
fn every_target_has_its_test_its_file_and_a_small_corpus() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TESTED);
    let manifest = fs::read_to_string(Path::new(FUZZ).join("Cargo.toml")).unwrap();
    for target in &TARGETS {
        let file = format!("fuzz_targets/{}.rs", target.name);
        let text = fs::read_to_string(Path::new(FUZZ).join(&file)).unwrap();
        assert!(text.contains(&format!("\"{}\"", target.name)), "{file}");
        assert!(manifest.contains(&file), "{file} is not in fuzz/Cargo.toml");
        let size: usize = corpus(target).iter().map(Vec::len).sum();
        assert!(size < 32 * 1024, "{}: {size} bytes", target.name);
    }
    let folders = fs::read_dir(Path::new(FUZZ).join("corpus"))
        .unwrap()
        .count();
    assert_eq!(folders, TARGETS.len());
}
