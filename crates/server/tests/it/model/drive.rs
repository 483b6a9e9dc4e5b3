//! Runs cases, and says what to do to see a failure again.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use proptest_state_machine::ReferenceStateMachine;
use warifu::ambient::{Clock as _, SystemClock, environment};

/// The real thing, with a database that all cases of a run share.
pub(super) trait World {
    /// What it is compared with.
    type Model: ReferenceStateMachine;
    /// What belongs to one case: credentials, contracts, and what the model says of them.
    type Case;

    /// Begins a case with nothing of the one before.
    fn begin(&mut self, model: &StateOf<Self>) -> Self::Case;

    /// Does an operation, and compares.
    fn apply(&mut self, case: &mut Self::Case, operation: &OperationOf<Self>)
    -> Result<(), String>;

    /// Compares what is left.
    fn end(&mut self, case: Self::Case) -> Result<(), String>;

    /// Looks through everything that all cases left. Panics when it does not hold.
    fn verify(&mut self);
}

type StateOf<W> = <<W as World>::Model as ReferenceStateMachine>::State;
type OperationOf<W> = <<W as World>::Model as ReferenceStateMachine>::Transition;

/// Which cases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    first_seed: u64,
    cases: u64,
    /// Worlds that work beside each other.
    worlds: u64,
    /// How often a world is looked through, in cases.
    verified_every: u64,
}

impl Plan {
    /// The same cases each time: a run that fails was broken by what was changed.
    pub(super) fn short(cases: u64) -> Self {
        Self {
            first_seed: asked("WARIFU_MODEL_SEED").unwrap_or(1),
            cases: asked("WARIFU_MODEL_CASES").unwrap_or(cases),
            worlds: 1,
            verified_every: 50,
        }
    }

    /// Other cases each time.
    pub(super) fn long() -> Self {
        let second = SystemClock.now().as_second().unsigned_abs();
        Self {
            first_seed: asked("WARIFU_MODEL_SEED").unwrap_or(second * 1_000_000),
            cases: asked("WARIFU_MODEL_CASES").unwrap_or(10_000),
            worlds: 2,
            verified_every: 1_000,
        }
    }

    /// Runs the cases of this plan. Panics with the first that fails, cut down.
    pub(super) fn run<W: World>(self, length: RangeInclusive<usize>, new: impl Fn() -> W + Sync) {
        std::thread::scope(|scope| {
            for number in 0..self.worlds {
                let (new, length) = (&new, length.clone());
                scope.spawn(move || self.run_in(number, length, new));
            }
        });
    }

    fn run_in<W: World>(self, number: u64, length: RangeInclusive<usize>, new: &impl Fn() -> W) {
        let world = RefCell::new(new());
        let mut operations = 0;
        for done in (number..self.cases).step_by(usize::try_from(self.worlds).unwrap()) {
            operations += self.run_case(&world, self.first_seed + done, length.clone(), new);
            if (done / self.worlds + 1).is_multiple_of(self.verified_every) {
                world.borrow_mut().verify();
                println!("{} of {} cases", done + 1, self.cases);
            }
        }
        world.borrow_mut().verify();
        println!(
            "world {number}: {operations} operations in cases from seed {} on, as the model says",
            self.first_seed
        );
    }

    /// How many operations the case had.
    fn run_case<W: World>(
        self,
        world: &RefCell<W>,
        seed: u64,
        length: RangeInclusive<usize>,
        new: &impl Fn() -> W,
    ) -> usize {
        let config = Config {
            cases: 1,
            rng_seed: RngSeed::Fixed(seed),
            // Nothing is written beside the sources: the seed says everything.
            failure_persistence: None,
            // Said, since else it is four times the cases.
            max_shrink_iters: 5_000,
            max_shrink_time: SHRINKING,
            ..Config::default()
        };
        let (count, failed) = (Cell::new(0), Cell::new(false));
        let outcome = TestRunner::new(config).run(
            &W::Model::sequential_strategy(length),
            |(model, operations, seen)| {
                count.set(operations.len());
                let mut world = world.borrow_mut();
                let tries = if failed.get() { TRIES } else { 1 };
                for _ in 0..tries {
                    if failed.get() {
                        // Nothing of cases before: the seed alone brings it back.
                        *world = new();
                    }
                    try_case(&mut *world, &model, &operations, seen.as_deref()).map_err(
                        |text| {
                            failed.set(true);
                            TestCaseError::fail(text)
                        },
                    )?;
                }
                Ok(())
            },
        );
        match outcome {
            Ok(()) => count.get(),
            Err(TestError::Abort(reason)) => panic!("seed {seed}: no case could be made: {reason}"),
            Err(TestError::Fail(reason, (_, operations, _))) => {
                panic!("{}", self.report(seed, &reason.to_string(), &operations))
            }
        }
    }

    fn report(self, seed: u64, reason: &str, operations: &[impl Debug]) -> String {
        let listed: String = operations
            .iter()
            .map(|operation| format!("    {operation:?}\n"))
            .collect();
        let (first, cases) = (self.first_seed, seed - self.first_seed + 1);
        format!(
            "the model and the real thing differ, seed {seed}\n  after, cut down:\n{listed}  {reason}\n  \
         again: WARIFU_MODEL_SEED={seed} WARIFU_MODEL_CASES=1 and this test; \
         with the cases before: WARIFU_MODEL_SEED={first} WARIFU_MODEL_CASES={cases}\n"
        )
    }
}

/// How long a failing case is cut down, ms.
const SHRINKING: u32 = 120_000;

/// How often a list is tried that is cut down: what depends on which thread was first does not differ each time.
const TRIES: usize = 4;

fn try_case<W: World>(
    world: &mut W,
    model: &StateOf<W>,
    operations: &[OperationOf<W>],
    seen: Option<&AtomicUsize>,
) -> Result<(), String> {
    let mut case = world.begin(model);
    for operation in operations {
        // What no failing run came to is cut off first.
        if let Some(seen) = seen {
            seen.fetch_add(1, Ordering::SeqCst);
        }
        world.apply(&mut case, operation)?;
    }
    world.end(case)
}

/// Every state that a model can be in after operations at the same time gave these answers: one for each order in which
/// they may have been done.
pub(super) fn after_some_order<M: Clone + PartialEq, O: PartialEq, A: PartialEq>(
    model: &M,
    answered: &[(O, A)],
    step: &impl Fn(&mut M, &O) -> A,
) -> Vec<M> {
    let mut states = vec![(0_u64, model.clone())];
    for _ in answered {
        let mut next: Vec<(u64, M)> = Vec::new();
        for (done, state) in &states {
            for (index, (operation, answer)) in answered.iter().enumerate() {
                let open = |at: usize| done & (1 << at) == 0;
                // Of those alike the first stands for all.
                let alike = answered[..index]
                    .iter()
                    .enumerate()
                    .any(|(before, (o, a))| open(before) && o == operation && a == answer);
                if !open(index) || alike {
                    continue;
                }
                let mut after = state.clone();
                if step(&mut after, operation) == *answer {
                    let reached = (done | (1 << index), after);
                    if !next.contains(&reached) {
                        next.push(reached);
                    }
                }
            }
        }
        states = next;
    }
    let mut ends: Vec<M> = Vec::new();
    for (_, state) in states {
        if !ends.contains(&state) {
            ends.push(state);
        }
    }
    ends
}

fn asked(name: &str) -> Option<u64> {
    environment(name).map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}
