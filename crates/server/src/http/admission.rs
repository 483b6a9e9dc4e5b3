//! How much is in work at once. Whoever is one too many is told so at once, before his body is read: a queue that nobody
//! bounds would make everybody wait for longer than anybody does.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::seldom::Seldom;

tokio::task_local! {
    static ADMITTED: Arc<Admission>;
}

/// Paths that are answered however much is in work: what a balancer looks at.
const EXEMPT: [&str; 2] = ["/healthz", "/readyz"];

/// The bound of one listener.
#[derive(Debug)]
pub struct Admission {
    most: usize,
    inside: AtomicUsize,
    turned_away: AtomicU64,
    log: Seldom,
}

/// A request that is in work; its place is free again when this is dropped.
#[derive(Debug)]
pub struct Place(Arc<Admission>);

/// A request that waits for somebody with a queue of his own.
struct Outside<'a>(&'a Admission);

impl Admission {
    /// At most so many requests in work at once.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            inside: AtomicUsize::new(0),
            turned_away: AtomicU64::new(0),
            log: Seldom::new(),
        })
    }

    /// A place; none when as many are in work as may be. The log is told once a second at most.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let entered = self
            .inside
            .try_update(Ordering::AcqRel, Ordering::Acquire, |inside| {
                (inside < self.most).then_some(inside + 1)
            });
        if entered.is_ok() {
            return Some(Place(Arc::clone(self)));
        }
        let turned_away = self.turned_away.fetch_add(1, Ordering::Relaxed) + 1;
        if self.log.is_due() {
            tracing::warn!(
                in_flight = self.most,
                turned_away,
                "more requests come than can be in work: answered 503"
            );
        }
        None
    }

    /// Requests that are in work now, those that wait outside not counted.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.inside.load(Ordering::Acquire)
    }

    /// Requests that were answered 503 since the start.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

impl Place {
    /// Answers the request in this place.
    pub async fn within<T>(self, answer: impl Future<Output = T>) -> T {
        let admission = Arc::clone(&self.0);
        let answered = ADMITTED.scope(admission, answer).await;
        drop(self);
        answered
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_add(1, Ordering::AcqRel);
    }
}

/// Waits for somebody who has a bounded queue of his own, such as the threads for passwords or a token service elsewhere:
/// meanwhile the place is another request's. So neither a crowd at the door nor a slow token service keeps the pages away
/// from those who need neither.
pub async fn outside<T>(wait: impl Future<Output = T>) -> T {
    let Ok(admission) = ADMITTED.try_with(Arc::clone) else {
        return wait.await;
    };
    admission.inside.fetch_sub(1, Ordering::AcqRel);
    let _outside = Outside(&admission);
    wait.await
}

/// Whether a path is answered however much is in work: what a balancer looks at, and the files that make a page readable.
#[must_use]
pub fn is_exempt(path: &str) -> bool {
    EXEMPT.contains(&path) || path.starts_with("/assets/")
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    fn run<T>(story: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(story)
    }

    #[test]
    fn one_too_many_is_turned_away_and_a_place_that_is_left_is_free_again() {
        let admission = Admission::new(2);
        let first = admission.enter().unwrap();
        let _second = admission.enter().unwrap();
        assert!(admission.enter().is_none());
        assert_eq!((admission.inside(), admission.turned_away()), (2, 1));
        drop(first);
        assert!(admission.enter().is_some());
    }

    #[test]
    fn who_waits_outside_leaves_his_place_to_another_and_takes_it_again() {
        let admission = Admission::new(1);
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        run(async {
            let mut waiting = Box::pin(admission.enter().unwrap().within(async {
                outside(wait).await.unwrap();
                std::future::pending::<()>().await;
            }));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
            assert_eq!(admission.inside(), 0);
            drop(admission.enter().unwrap());
            go.send(()).unwrap();
            assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
            assert_eq!(admission.inside(), 1);
            drop(waiting);
        });
        assert_eq!(admission.inside(), 0);
    }

    #[test]
    fn who_hangs_up_while_he_waits_outside_leaves_nothing_behind() {
        let admission = Admission::new(1);
        run(async {
            let mut waiting = Box::pin(
                admission
                    .enter()
                    .unwrap()
                    .within(outside(std::future::pending::<()>())),
            );
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
            drop(waiting);
        });
        assert_eq!(admission.inside(), 0);
    }
}
