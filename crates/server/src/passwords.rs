//! Argon2id on threads of its own (docs/decisions/0014): as many as there are cores, a short queue before them, and
//! whoever finds it full is told at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq as _;
use tokio::sync::{mpsc, oneshot};
use warifu_bank::password::normalized;
use zeroize::Zeroizing;

use crate::ambient::{Entropy, random};
use crate::http::outside;

/// What new hashes cost (OWASP Password Storage: 19 MiB with two passes).
const COST: Cost = Cost {
    memory_kib: 19_456,
    passes: 2,
    lanes: 1,
};
/// What a stored hash may cost at most: more was never written by us, and would be a way to tie the threads up.
const DEAREST: Cost = Cost {
    memory_kib: 262_144,
    passes: 10,
    lanes: 4,
};
/// Bytes of a hash.
const LENGTH: usize = 32;
/// Bytes of a salt.
const SALT: usize = 16;
/// The longest password that is looked at, bytes.
pub const LONGEST: usize = 1024;
/// Requests that wait for each thread: about a second of work.
const WAITING_PER_THREAD: usize = 16;

/// The queue is full; whoever asked may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// Checks and makes hashes of passwords.
pub struct Hasher {
    queue: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    entropy: Arc<dyn Entropy>,
}

/// The parameters of Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A PHC string of ours.
struct Stored {
    cost: Cost,
    salt: [u8; SALT],
    hash: [u8; LENGTH],
}

struct Job {
    password: Zeroizing<Vec<u8>>,
    cost: Cost,
    salt: [u8; SALT],
    reply: oneshot::Sender<[u8; LENGTH]>,
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(threads: usize, entropy: Arc<dyn Entropy>) -> std::io::Result<Self> {
        let threads = threads.max(1);
        let (queue, waiting) = mpsc::channel::<Job>(threads * WAITING_PER_THREAD);
        let waiting = Arc::new(Mutex::new(waiting));
        let threads = (0..threads)
            .map(|_| {
                let waiting = Arc::clone(&waiting);
                std::thread::Builder::new()
                    .name("argon2".into())
                    .spawn(move || work(&waiting))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            queue: Some(queue),
            threads,
            entropy,
        })
    }

    /// Whether the password is the stored one. Without a stored one the same work is done for nothing, so that nobody
    /// learns from the time which ID exists.
    ///
    /// # Errors
    /// [`Busy`] at once when too much waits.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, Busy> {
        let parsed = stored.and_then(parse);
        let known = parsed.is_some();
        let stored = parsed.unwrap_or(Stored {
            cost: COST,
            salt: [0; SALT],
            hash: [0; LENGTH],
        });
        let found = self.derive(password, stored.cost, stored.salt).await?;
        let equal: bool = found.ct_eq(&stored.hash).into();
        Ok(equal && known && password.len() <= LONGEST)
    }

    /// The hash of a new password, as a PHC string.
    ///
    /// # Errors
    /// [`Busy`] at once when too much waits.
    pub async fn hash(&self, password: &str) -> Result<String, Busy> {
        let salt = *random::<SALT>(&*self.entropy);
        let hash = self.derive(password, COST, salt).await?;
        Ok(format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            COST.memory_kib,
            COST.passes,
            COST.lanes,
            BASE64_NOPAD.encode(&salt),
            BASE64_NOPAD.encode(&hash)
        ))
    }

    async fn derive(
        &self,
        password: &str,
        cost: Cost,
        salt: [u8; SALT],
    ) -> Result<[u8; LENGTH], Busy> {
        // What is too long is worth no more work than what is not.
        let end = password.floor_char_boundary(LONGEST);
        let text = normalized(password.get(..end).unwrap_or_default());
        let password = Zeroizing::new(text.as_bytes().to_vec());
        let (reply, answer) = oneshot::channel();
        let job = Job {
            password,
            cost,
            salt,
            reply,
        };
        let queue = self.queue.as_ref().ok_or(Busy)?;
        queue.try_send(job).map_err(|_| Busy)?;
        outside(answer).await.map_err(|_| Busy)
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a password thread panicked");
            }
        }
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(…)")
    }
}

/// Whether a stored hash costs what a new one does; if not it is made anew when its password is next at hand.
#[must_use]
pub fn is_current(stored: &str) -> bool {
    parse(stored).is_some_and(|stored| stored.cost == COST)
}

fn work(waiting: &Mutex<mpsc::Receiver<Job>>) {
    // Hashing fills every core it gets: whoever waits for a page or a validation goes first.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "a password thread keeps its usual priority");
    }
    let Some(argon) = argon(COST) else { return };
    // One piece of memory for the thread's whole life: 19 MiB are not asked for at each login.
    let mut memory = vec![Block::default(); argon.params().block_count()];
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        let Some(job) = job else { return };
        if job.reply.is_closed() {
            continue;
        }
        let mut hash = [0; LENGTH];
        let (password, salt) = (&job.password, &job.salt);
        let made = if job.cost == COST {
            argon.hash_password_into_with_memory(password, salt, &mut hash, &mut memory)
        } else {
            match self::argon(job.cost) {
                Some(argon) => argon.hash_password_into(password, salt, &mut hash),
                None => continue,
            }
        };
        if made.is_ok() {
            let _ = job.reply.send(hash);
        }
    }
}

fn argon(cost: Cost) -> Option<Argon2<'static>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(LENGTH)).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Cost, salt and hash of a PHC string, whatever its parameters were when it was written.
fn parse(stored: &str) -> Option<Stored> {
    let rest = stored.strip_prefix("$argon2id$v=19$m=")?;
    let (memory, rest) = rest.split_once(",t=")?;
    let (passes, rest) = rest.split_once(",p=")?;
    let (lanes, rest) = rest.split_once('$')?;
    let (salt, hash) = rest.split_once('$')?;
    let cost = Cost {
        memory_kib: memory.parse().ok()?,
        passes: passes.parse().ok()?,
        lanes: lanes.parse().ok()?,
    };
    let affordable = cost.memory_kib <= DEAREST.memory_kib
        && cost.passes <= DEAREST.passes
        && cost.lanes <= DEAREST.lanes;
    let salt = BASE64_NOPAD.decode(salt.as_bytes()).ok()?;
    let hash = BASE64_NOPAD.decode(hash.as_bytes()).ok()?;
    affordable.then_some(Stored {
        cost,
        salt: salt.try_into().ok()?,
        hash: hash.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    fn run<T>(story: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(story)
    }

    #[test]
    fn a_password_is_known_by_its_hash_and_no_other_is() {
        let hasher = Hasher::start(1, Arc::new(SystemEntropy)).unwrap();
        run(async {
            let stored = hasher.hash("見本のパスワード").await.unwrap();
            assert!(
                hasher
                    .verify("見本のパスワード", Some(&stored))
                    .await
                    .unwrap()
            );
            assert!(
                !hasher
                    .verify("見本のパスワート", Some(&stored))
                    .await
                    .unwrap()
            );
            assert!(!hasher.verify("見本のパスワード", None).await.unwrap());
            assert_ne!(stored, hasher.hash("見本のパスワード").await.unwrap());
        });
    }

    #[test]
    fn a_hash_is_that_of_the_reference_program() {
        // argon2 (reference C program): echo -n password | argon2 "0123456789abcdef" -id -t 2 -k 19456 -p 1 -l 32 -e
        let stored = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$0qsHs573+LgGInzYb7sRqlOTBmqY4X6srNEm6ybpJ20";
        let hasher = Hasher::start(1, Arc::new(SystemEntropy)).unwrap();
        assert!(run(hasher.verify("password", Some(stored))).unwrap());
        assert!(is_current(stored));
    }

    #[test]
    fn a_hash_of_other_parameters_is_still_good_and_is_to_be_made_anew() {
        // The same program with -t 3 -k 1024.
        let stored = "$argon2id$v=19$m=1024,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rRhV8cCFm000w53oEMv6H//LGodkqKWHkZwz0xC95vk";
        let hasher = Hasher::start(1, Arc::new(SystemEntropy)).unwrap();
        assert!(run(hasher.verify("password", Some(stored))).unwrap());
        assert!(!run(hasher.verify("Password", Some(stored))).unwrap());
        assert!(!is_current(stored));
        let too_dear = stored.replace("m=1024", "m=9999999");
        assert!(!run(hasher.verify("password", Some(&too_dear))).unwrap());
    }

    #[test]
    fn a_password_is_the_same_however_a_keyboard_writes_its_letters() {
        let hasher = Hasher::start(1, Arc::new(SystemEntropy)).unwrap();
        run(async {
            let stored = hasher.hash("\u{304c}く").await.unwrap();
            let typed = "\u{304b}\u{3099}く";
            assert!(hasher.verify(typed, Some(&stored)).await.unwrap());
        });
    }

    #[test]
    fn a_full_queue_says_so_at_once() {
        let hasher = Hasher::start(1, Arc::new(SystemEntropy)).unwrap();
        run(async {
            let mut asked: Vec<_> = (0..WAITING_PER_THREAD * 3)
                .map(|_| Box::pin(hasher.verify("a", None)))
                .collect();
            let mut busy = 0;
            for ask in &mut asked {
                // Polled once each: what is refused is refused before anything is awaited.
                let polled = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(ask.as_mut().poll(context))
                });
                busy += usize::from(polled.await == std::task::Poll::Ready(Err(Busy)));
            }
            assert!(busy >= WAITING_PER_THREAD, "{busy}");
        });
    }
}
