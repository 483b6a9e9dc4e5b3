//! Agreement with an independent implementation, the `oathtool` of the OATH Toolkit.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of a test; the lints' exception covers only #[test] functions"
)]

use std::io::ErrorKind;
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use warifu_oath::{Algorithm, Digits, Generator, Period, Secret, TimeStep};

const CASES: usize = 1_000;
/// Fixed, so that a failure comes back; printed with it.
const SEED: [u8; 32] = *b"warifu-oath compared to oathtool";
/// The last second that oathtool's date parser is asked to take: the end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

#[derive(Debug)]
enum Moment {
    Counter(u64),
    Time { seconds: i64, period: u32 },
}

#[derive(Debug)]
struct Case {
    secret: Vec<u8>,
    algorithm: Algorithm,
    digits: u8,
    moment: Moment,
}

/// Four cases in five by time, the rest by counter, which oathtool has for SHA-1 only.
fn cases() -> impl Strategy<Value = Case> {
    let time = (
        0..=LAST_SECOND,
        1_u32..=86_400,
        select(Algorithm::ALL.to_vec()),
    )
        .prop_map(|(seconds, period, algorithm)| (algorithm, Moment::Time { seconds, period }));
    let counter =
        (0..=u64::MAX >> 1).prop_map(|counter| (Algorithm::Sha1, Moment::Counter(counter)));
    let moment = prop_oneof![4 => time, 1 => counter];
    (vec(any::<u8>(), 1..=Secret::MAX_LEN), 6_u8..=8, moment).prop_map(
        |(secret, digits, (algorithm, moment))| Case {
            secret,
            algorithm,
            digits,
            moment,
        },
    )
}

impl Case {
    fn ours(&self) -> String {
        let digits = Digits::new(self.digits).expect("6 to 8 digits");
        let generator = Generator::from_bytes(&self.secret, self.algorithm, digits)
            .expect("a secret of 1 to 128 bytes");
        let code = match self.moment {
            Moment::Counter(counter) => generator.hotp(counter),
            Moment::Time { seconds, period } => {
                let period = Period::from_seconds(period).expect("a period above zero");
                generator.totp(TimeStep::from_unix_seconds(seconds, period))
            }
        };
        code.to_string()
    }

    fn theirs(&self) -> String {
        let mut command = Command::new("oathtool");
        command.arg(format!("--digits={}", self.digits));
        match self.moment {
            Moment::Counter(counter) => command.arg(format!("--counter={counter}")),
            Moment::Time { seconds, period } => command
                .arg(format!("--totp={}", self.algorithm))
                .arg(format!("--now=@{seconds}"))
                .arg(format!("--time-step-size={period}s")),
        };
        let hex: String = self
            .secret
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let output = match command.arg(hex).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("oathtool is not installed; get it by `apt-get install oathtool`")
            }
            output => output.expect("oathtool runs"),
        };
        assert!(output.status.success(), "{self:?}: {output:?}");
        let code = String::from_utf8(output.stdout).expect("oathtool prints digits");
        code.trim_end().to_owned()
    }
}

#[test]
fn a_thousand_random_codes_agree_with_oathtool() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for number in 0..CASES {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let seed = SEED.escape_ascii();
        assert_eq!(
            case.ours(),
            case.theirs(),
            "case {number} of seed {seed}: {case:?}"
        );
    }
}
