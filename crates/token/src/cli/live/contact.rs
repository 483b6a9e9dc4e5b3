use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use warifu_token::{Contact, ContactKeeper, Edge, Kept, Service, SystemEdge, measure};

/// How often the service is asked for its time.
const EVERY: Duration = Duration::from_mins(10);

/// What the contact thread has to tell.
#[derive(Debug)]
pub(super) enum News {
    /// The service answered.
    Learned(Contact),
    /// It did not; codes go on all the same (rule T3).
    Unreachable,
    /// The vault was removed, or holds another token now.
    Gone,
}

/// Keeps in touch with the service from a thread of its own, so that the display never waits.
#[derive(Debug)]
pub(super) struct Contacts {
    news: Receiver<News>,
    wake: Sender<()>,
}

impl Contacts {
    /// Asks at once and then every [`EVERY`], until this value is dropped.
    pub(super) fn begin(
        service: impl Service + Send + 'static,
        keeper: ContactKeeper,
        edge: SystemEdge,
    ) -> Self {
        let (tell, news) = mpsc::channel();
        let (wake, woken) = mpsc::channel();
        thread::spawn(move || {
            loop {
                if tell.send(ask(&service, &keeper, edge)).is_err() {
                    return;
                }
                match woken.recv_timeout(EVERY) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Self { news, wake }
    }

    pub(super) fn news(&self) -> Option<News> {
        self.news.try_recv().ok()
    }

    /// Asks ahead of time. Where the thread has ended there is nobody to ask.
    pub(super) fn ask_now(&self) {
        let _ = self.wake.send(());
    }
}

fn ask(service: &impl Service, keeper: &ContactKeeper, edge: SystemEdge) -> News {
    let asked = edge.now();
    let Ok(answer) = service.time() else {
        return News::Unreachable;
    };
    let contact = measure(asked, answer.service_time, edge.now()).contact;
    match keeper.keep(contact, &edge) {
        Ok(Kept::Gone) => News::Gone,
        // That it could not be written is no reason not to count with it; `doctor` tells why.
        Ok(Kept::Stored | Kept::Busy) | Err(_) => News::Learned(contact),
    }
}
