//! Callers that come at once: a thread and a kept connection each, let go by a barrier.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

use super::http::{self, Ready, Reply};

/// The answers to one caller's requests, in order.
pub(crate) type Replies = Vec<Result<Reply>>;

/// The callers.
pub(crate) struct Callers {
    work: Vec<Sender<Vec<Ready>>>,
    replies: Receiver<Replies>,
    threads: Vec<JoinHandle<()>>,
}

impl Callers {
    /// So many callers, spread over the servers' addresses.
    pub(crate) fn new(count: usize, urls: &[String]) -> Self {
        let barrier = Arc::new(Barrier::new(count));
        let (sender, replies) = channel();
        let mut callers = Self {
            work: Vec::new(),
            replies,
            threads: Vec::new(),
        };
        for url in urls.iter().cycle().take(count) {
            let (work, orders) = channel::<Vec<Ready>>();
            let (url, barrier, sender) = (url.clone(), Arc::clone(&barrier), sender.clone());
            callers.work.push(work);
            callers.threads.push(std::thread::spawn(move || {
                call(&url, &barrier, &orders, &sender)
            }));
        }
        callers
    }

    /// Deals the requests out, lets every caller go in the same moment, and waits for all.
    pub(crate) fn fire(&self, requests: Vec<Ready>) -> Result<Vec<Result<Reply>>> {
        let mut hands: Vec<Vec<Ready>> = self.work.iter().map(|_| Vec::new()).collect();
        let count = hands.len();
        for (number, request) in requests.into_iter().enumerate() {
            if let Some(hand) = hands.get_mut(number % count) {
                hand.push(request);
            }
        }
        for (work, hand) in self.work.iter().zip(hands) {
            work.send(hand).ok().context("a caller is gone")?;
        }
        let mut all = Vec::new();
        for _ in &self.work {
            all.extend(self.replies.recv().context("the callers are gone")?);
        }
        Ok(all)
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        self.work.clear();
        for thread in self.threads.drain(..) {
            // A caller that panicked has already said so.
            let _ = thread.join();
        }
    }
}

fn call(url: &str, barrier: &Barrier, orders: &Receiver<Vec<Ready>>, replies: &Sender<Replies>) {
    let agent = http::agent();
    while let Ok(requests) = orders.recv() {
        barrier.wait();
        let answers = requests
            .iter()
            .map(|request| request.send(&agent, url))
            .collect();
        if replies.send(answers).is_err() {
            return;
        }
    }
}
