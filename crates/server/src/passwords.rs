//! Argon2id on threads of its own (docs/decisions/0014): as many as there are cores, a short queue before them, and
//! whoever finds it full is told at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq as _;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::ambient::{Entropy, random};

/// Memory, KiB (OWASP Password Storage: 19 MiB with two passes).
const MEMORY_KIB: u32 = 19_456;
/// Passes.
const PASSES: u32 = 2;
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

struct Job {
    password: Zeroizing<Vec<u8>>,
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
        let (salt, expected) = parsed.unwrap_or(([0; SALT], [0; LENGTH]));
        let found = self.derive(password, salt).await?;
        let equal: bool = found.ct_eq(&expected).into();
        Ok(equal && parsed.is_some() && password.len() <= LONGEST)
    }

    /// The hash of a new password, as a PHC string.
    ///
    /// # Errors
    /// [`Busy`] at once when too much waits.
    pub async fn hash(&self, password: &str) -> Result<String, Busy> {
        let salt = *random::<SALT>(&*self.entropy);
        let hash = self.derive(password, salt).await?;
        Ok(format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${}${}",
            BASE64_NOPAD.encode(&salt),
            BASE64_NOPAD.encode(&hash)
        ))
    }

    async fn derive(&self, password: &str, salt: [u8; SALT]) -> Result<[u8; LENGTH], Busy> {
        // What is too long is worth no more work than what is not.
        let bytes = password.as_bytes();
        let password = Zeroizing::new(
            bytes
                .get(..bytes.len().min(LONGEST))
                .unwrap_or(bytes)
                .to_vec(),
        );
        let (reply, answer) = oneshot::channel();
        let job = Job {
            password,
            salt,
            reply,
        };
        let queue = self.queue.as_ref().ok_or(Busy)?;
        queue.try_send(job).map_err(|_| Busy)?;
        answer.await.map_err(|_| Busy)
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

fn work(waiting: &Mutex<mpsc::Receiver<Job>>) {
    // Hashing fills every core it gets: whoever waits for a page or a validation goes first.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "a password thread keeps its usual priority");
    }
    let Ok(params) = Params::new(MEMORY_KIB, PASSES, 1, Some(LENGTH)) else {
        return;
    };
    // One piece of memory for the thread's whole life: 19 MiB are not asked for at each login.
    let mut memory = vec![Block::default(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
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
        if argon
            .hash_password_into_with_memory(&job.password, &job.salt, &mut hash, &mut memory)
            .is_ok()
        {
            let _ = job.reply.send(hash);
        }
    }
}

/// Salt and hash of a PHC string with the parameters of this program.
fn parse(stored: &str) -> Option<([u8; SALT], [u8; LENGTH])> {
    let rest = stored.strip_prefix("$argon2id$v=19$m=19456,t=2,p=1$")?;
    let (salt, hash) = rest.split_once('$')?;
    let salt = BASE64_NOPAD.decode(salt.as_bytes()).ok()?;
    let hash = BASE64_NOPAD.decode(hash.as_bytes()).ok()?;
    Some((salt.try_into().ok()?, hash.try_into().ok()?))
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
