//! Drives a schedule: each operation begins at its moment, whatever became of those before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::BenchError;
use super::client::Sent;
use super::machine::{Used, used};
use super::record::{Ended, Live, Outcome, Recorder};
use super::schedule::{Due, Schedule};
use crate::ambient::stopwatch;

/// What was seen while a load ran.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// What the server's process used, second by second.
    pub server: Vec<(f64, Used)>,
    /// Seconds that the whole run took.
    pub seconds: f64,
    /// Whether it was ended early.
    pub ended_early: bool,
}

/// One second of a running load.
#[derive(Debug)]
pub struct Tick<'a> {
    /// Seconds since the start.
    pub second: u64,
    /// What happened in it.
    pub live: &'a Live,
    /// Operations that are under way.
    pub in_flight: usize,
    /// What the server's process uses.
    pub server: Option<Used>,
}

/// Runs a schedule to its end: `perform` carries out one operation and tells when its first request went out. `tick` is
/// told of each second. It ends early when `end` turns true.
///
/// # Errors
/// When no thread can be started.
pub fn drive<F>(
    runtime: &Runtime,
    schedule: Schedule,
    recorder: &Arc<Recorder>,
    server: Option<u32>,
    end: &Arc<AtomicBool>,
    perform: impl Fn(Due) -> F + Send + 'static,
    mut tick: impl FnMut(&Tick<'_>),
) -> Result<Seen, BenchError>
where
    F: Future<Output = (Outcome, Sent)> + Send + 'static,
{
    let in_flight = Arc::new(AtomicUsize::new(0));
    let begun = stopwatch();
    let dispatcher = Dispatcher {
        recorder: Arc::clone(recorder),
        in_flight: Arc::clone(&in_flight),
        end: Arc::clone(end),
        begun,
    };
    let handle = runtime.handle().clone();
    let dispatching = std::thread::Builder::new()
        .name("schedule".into())
        .spawn(move || dispatcher.run(&handle, schedule, perform))
        .map_err(|error| BenchError::said(error.to_string()))?;
    let mut seen = Seen::default();
    let mut second = 0;
    while !dispatching.is_finished() || in_flight.load(Ordering::Acquire) > 0 {
        let next = begun + Duration::from_secs(second + 1);
        while stopwatch() < next
            && !(dispatching.is_finished() && in_flight.load(Ordering::Acquire) == 0)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        second += 1;
        let now = server.and_then(used);
        if let Some(now) = now {
            seen.server.push((begun.elapsed().as_secs_f64(), now));
        }
        tick(&Tick {
            second,
            live: &recorder.look(),
            in_flight: in_flight.load(Ordering::Acquire),
            server: now,
        });
    }
    if dispatching.join().is_err() {
        return Err(BenchError::said("the schedule's thread panicked"));
    }
    seen.seconds = begun.elapsed().as_secs_f64();
    seen.ended_early = end.load(Ordering::Acquire);
    Ok(seen)
}

/// The thread that keeps the schedule: a timer of the runtime would be a millisecond late, and wait for a busy runtime.
struct Dispatcher {
    recorder: Arc<Recorder>,
    in_flight: Arc<AtomicUsize>,
    end: Arc<AtomicBool>,
    begun: Instant,
}

impl Dispatcher {
    fn run<F>(self, handle: &tokio::runtime::Handle, schedule: Schedule, perform: impl Fn(Due) -> F)
    where
        F: Future<Output = (Outcome, Sent)> + Send + 'static,
    {
        for due in schedule {
            let at = self.begun + due.at;
            loop {
                if self.end.load(Ordering::Acquire) {
                    return;
                }
                let wait = at.saturating_duration_since(stopwatch());
                if wait.is_zero() {
                    break;
                }
                std::thread::sleep(wait.min(Duration::from_millis(200)));
            }
            self.recorder.begins(&due);
            self.in_flight.fetch_add(1, Ordering::AcqRel);
            let operation = perform(due);
            let (recorder, in_flight) = (
                Arc::clone(&self.recorder),
                Under(Arc::clone(&self.in_flight)),
            );
            handle.spawn(async move {
                let (outcome, sent) = operation.await;
                let now = stopwatch();
                let ended = Ended {
                    outcome,
                    took: now.saturating_duration_since(at),
                    waited: sent.first.map(|sent| sent.saturating_duration_since(at)),
                    last: sent.last.map(|sent| now.saturating_duration_since(sent)),
                };
                recorder.ended(&due, &ended);
                drop(in_flight);
            });
        }
    }
}

/// One operation under way, however it ends.
struct Under(Arc<AtomicUsize>);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};

    use axum::http::{HeaderMap, Method};

    use super::*;
    use crate::bench::client::{Asking, Client};
    use crate::bench::record::percentile;
    use crate::bench::schedule::{Arrivals, Mix, Phase};

    /// Answers every request at once, but for the time from one second after its first request to two: then it stands.
    fn stalling_server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let first = Arc::new(std::sync::OnceLock::new());
            for stream in listener.incoming().map_while(Result::ok) {
                let (mut stream, first) = (stream, Arc::clone(&first));
                std::thread::spawn(move || {
                    let mut bytes = [0; 1024];
                    while let Ok(1..) = stream.read(&mut bytes) {
                        let first: &Instant = first.get_or_init(stopwatch);
                        let since = first.elapsed();
                        let end = Duration::from_secs(2);
                        if since >= Duration::from_secs(1) && since < end {
                            std::thread::sleep(end - since);
                        }
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                        if stream.write_all(answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    #[test]
    fn a_second_in_which_the_server_stands_is_seen_by_everything_that_was_to_begin_in_it() {
        let address = stalling_server();
        let client = Arc::new(Client::new(&format!("http://{address}"), 8).unwrap());
        let phases = [Phase {
            rate: 200.0,
            seconds: 3.0,
        }];
        let recorder = Arc::new(Recorder::new(&phases).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let perform = move |_| {
            let client = Arc::clone(&client);
            async move {
                let mut sent = Sent::default();
                let asking = Asking {
                    method: Method::GET,
                    path: "/",
                    headers: HeaderMap::new(),
                    body: axum::body::Bytes::new(),
                };
                client.ask(asking, &mut sent).await.unwrap();
                (Outcome::Done, sent)
            }
        };
        let schedule = Schedule::new(&phases, Mix::default(), Arrivals::Even, 1);
        let end = Arc::new(AtomicBool::new(false));
        let mut ticks = 0;
        drive(&runtime, schedule, &recorder, None, &end, perform, |_| {
            ticks += 1
        })
        .unwrap();
        assert!(ticks >= 3);
        let figures = recorder.all();
        let offered: u64 = figures.slots.iter().map(|slot| slot.offered).sum();
        assert!((599..=600).contains(&offered));
        // Eight connections: a loop that waits for its answers would have seen eight slow ones.
        let took = figures.slots[1].all().unwrap();
        assert!(percentile(&took, 50.0).unwrap() > 300.0);
        let slow = took.len() - took.count_between(1, 250_000);
        assert!(slow > 100, "{slow} of {}", took.len());
        let before = figures.slots[0].all().unwrap();
        assert!(percentile(&before, 50.0).unwrap() < 250.0);
        assert!(figures.phases[0].late > 100);
    }
}
