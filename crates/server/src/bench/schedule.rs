//! When each operation begins: written down before the first one is sent, and changed by no answer.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a customer, or a relying party, does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// From the login page by ID, password and code to the top page: five requests.
    Login,
    /// A relying party has a code checked: one request.
    Validation,
    /// From the form by the confirm page and a code to the receipt: five requests.
    Transfer,
    /// The statement of an account: one request.
    Statement,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Login,
        Self::Validation,
        Self::Transfer,
        Self::Statement,
    ];

    /// As it is written on the command line and in the report's data.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Validation => "validation",
            Self::Transfer => "transfer",
            Self::Statement => "statement",
        }
    }
}

/// How many of each kind, in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix(pub [u32; 4]);

/// Of a hundred operations: ten people sign in, who read 45 statements and order five transfers, while other relying
/// parties have 40 codes checked.
impl Default for Mix {
    fn default() -> Self {
        Self([10, 40, 5, 45])
    }
}

/// The text is no [`Mix`], [`Phase`] or [`Arrivals`]; says what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScheduleError(&'static str);

impl Mix {
    /// The share of a kind, 0 to 1.
    #[must_use]
    pub fn share(&self, kind: Kind) -> f64 {
        let total: u32 = self.0.iter().sum();
        f64::from(self.of(kind)) / f64::from(total.max(1))
    }

    /// How many of a kind, in proportion.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u32 {
        Kind::ALL
            .iter()
            .zip(self.0)
            .find_map(|(it, parts)| (*it == kind).then_some(parts))
            .unwrap_or_default()
    }

    /// The kind at a place between 0 and 1.
    fn at(&self, place: f64) -> Kind {
        let total: u32 = self.0.iter().sum();
        let mut left = place * f64::from(total);
        for (kind, parts) in Kind::ALL.iter().zip(self.0) {
            left -= f64::from(parts);
            if left < 0.0 {
                return *kind;
            }
        }
        Kind::ALL
            .into_iter()
            .rev()
            .find(|kind| self.of(*kind) > 0)
            .unwrap_or(Kind::Validation)
    }
}

impl FromStr for Mix {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = ScheduleError(
            "expected parts of login, validation, transfer and statement, e.g. login=10,validation=40,transfer=5,statement=45",
        );
        let mut mix = Self([0; 4]);
        for part in text.split(',') {
            let (word, parts) = part.split_once('=').ok_or_else(|| wrong.clone())?;
            let parts: u32 = parts.trim().parse().map_err(|_| wrong.clone())?;
            let place = Kind::ALL
                .iter()
                .position(|kind| kind.word() == word.trim())
                .and_then(|place| mix.0.get_mut(place))
                .ok_or_else(|| wrong.clone())?;
            *place = parts.min(1_000_000);
        }
        if mix.0.iter().all(|parts| *parts == 0) {
            return Err(wrong);
        }
        Ok(mix)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (kind, parts)) in Kind::ALL.iter().zip(self.0).enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}={parts}", kind.word())?;
        }
        Ok(())
    }
}

/// How operations follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Arrivals {
    /// As people come who know nothing of each other: gaps are exponentially distributed.
    #[default]
    Poisson,
    /// One every so often.
    Even,
}

/// A rate that is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Phase {
    /// Operations a second.
    pub rate: f64,
    /// Seconds.
    pub seconds: f64,
}

impl FromStr for Phase {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = ScheduleError("expected RATExSECONDS, e.g. 300x60");
        let (rate, seconds) = text.split_once('x').ok_or_else(|| wrong.clone())?;
        let rate = rate.trim().parse().map_err(|_| wrong.clone())?;
        let seconds = seconds.trim().parse().map_err(|_| wrong.clone())?;
        let phase = Self { rate, seconds };
        phase.is_sound().then_some(phase).ok_or(wrong)
    }
}

impl Phase {
    /// Whether it can be kept: up to a million a second for up to a week.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (0.01..=1e6).contains(&self.rate) && (0.1..=604_800.0).contains(&self.seconds)
    }
}

/// An operation that is to begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Due {
    /// When, counted from the start.
    pub at: Duration,
    /// What.
    pub kind: Kind,
    /// In which phase, from 0.
    pub phase: usize,
}

/// The whole plan: the same numbers for the same seed, whatever is answered.
#[derive(Debug, Clone)]
pub struct Schedule {
    mix: Mix,
    arrivals: Arrivals,
    phases: Vec<Phase>,
    phase: usize,
    /// Seconds, of the phase in turn and of those before it.
    begun: f64,
    /// Seconds since the start.
    at: f64,
    dice: Dice,
}

impl Schedule {
    /// A plan.
    #[must_use]
    pub fn new(phases: &[Phase], mix: Mix, arrivals: Arrivals, seed: u64) -> Self {
        Self {
            mix,
            arrivals,
            phases: phases.to_vec(),
            phase: 0,
            begun: 0.0,
            at: 0.0,
            dice: Dice(seed),
        }
    }
}

impl Iterator for Schedule {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        loop {
            let phase = self.phases.get(self.phase)?;
            let gap = match self.arrivals {
                Arrivals::Even => 1.0,
                Arrivals::Poisson => -(1.0 - self.dice.roll()).ln(),
            } / phase.rate;
            let (at, end) = (self.at + gap, self.begun + phase.seconds);
            if at >= end {
                // Exponential gaps have no memory: what the next phase draws begins with the phase.
                (self.at, self.begun, self.phase) = (end, end, self.phase + 1);
                continue;
            }
            self.at = at;
            return Some(Due {
                at: Duration::from_secs_f64(at),
                kind: self.mix.at(self.dice.roll()),
                phase: self.phase,
            });
        }
    }
}

/// Numbers that look random and are the same each time (`SplitMix64`, Steele, Lea and Flood 2014): for load, never for a
/// secret.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 up to 1, 1 excluded.
    pub fn roll(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [Phase; 2] = [
        Phase {
            rate: 1_000.0,
            seconds: 20.0,
        },
        Phase {
            rate: 100.0,
            seconds: 20.0,
        },
    ];

    #[test]
    fn a_plan_holds_its_rates_its_mix_and_its_order() {
        let plan: Vec<_> = Schedule::new(&PHASES, Mix::default(), Arrivals::Poisson, 7).collect();
        assert!(plan.is_sorted_by(|one, next| one.at <= next.at));
        for (phase, expected) in [(0, 20_000.0), (1, 2_000.0)] {
            let found: Vec<_> = plan.iter().filter(|due| due.phase == phase).collect();
            let many = found.len() as f64;
            // Five standard deviations of a Poisson count.
            assert!(
                (many - expected).abs() < 5.0 * f64::sqrt(expected),
                "{many}"
            );
            for kind in Kind::ALL {
                let share = found.iter().filter(|due| due.kind == kind).count() as f64 / many;
                assert!(
                    (share - Mix::default().share(kind)).abs() < 0.05,
                    "{kind:?}"
                );
            }
        }
        assert!(plan.last().unwrap().at < Duration::from_secs(40));
        let again: Vec<_> = Schedule::new(&PHASES, Mix::default(), Arrivals::Poisson, 7).collect();
        assert_eq!(plan, again);
    }

    #[test]
    fn even_arrivals_come_one_every_so_often() {
        let phase = [Phase {
            rate: 10.0,
            seconds: 1.05,
        }];
        let plan: Vec<_> = Schedule::new(&phase, Mix::default(), Arrivals::Even, 1)
            .map(|due| due.at.as_millis())
            .collect();
        assert_eq!(plan, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    }

    #[test]
    fn what_is_typed_is_read_and_what_is_wrong_is_told() {
        let mix: Mix = "statement=3, login=1".parse().unwrap();
        assert_eq!(mix, Mix([1, 0, 0, 3]));
        assert_eq!(mix.to_string().parse(), Ok(mix));
        for text in ["", "login", "login=x", "login=0", "sing=1"] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
        let phase: Phase = "300x60".parse().unwrap();
        assert_eq!((phase.rate, phase.seconds), (300.0, 60.0));
        for text in ["300", "0x1", "1x0", "-1x5", "NaNx1", "1xinf"] {
            assert!(text.parse::<Phase>().is_err(), "{text}");
        }
    }
}
