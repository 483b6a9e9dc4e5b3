//! SQLite only: brings the log back into the database beside the writer instead of in its way.
//!
//! A checkpoint inside a commit makes everybody who waits for that commit wait for some thousand page writes. A
//! second connection does them while the writer goes on; the writer is asked only to begin the log anew once almost
//! nothing is left to bring back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::{DatabaseError, sqlite_engine};

/// Bytes of log at which a checkpoint begins. The longer the log, the more changes of one page are brought back as one, and
/// the fewer are those who have to wait for it.
const BEGIN_AT: i64 = 64 << 20;

/// Bytes of log that may be left for the writer.
const LEAVE: i64 = 512 << 10;

/// Passes after which the writer takes over whatever is left: each pass leaves what was written during the one before.
const PASSES: usize = 4;

pub(crate) struct Checkpointer {
    ask: Option<SyncSender<()>>,
    done: Receiver<()>,
    running: bool,
    /// Pages of log at which a checkpoint begins.
    begin_at: i64,
    thread: Option<JoinHandle<()>>,
    /// Pages of log after the newest commit.
    log: Arc<AtomicI64>,
}

impl Checkpointer {
    /// Takes over the checkpoints of `writer`, whose database is at `path`.
    pub(crate) fn start(
        writer: &mut rusqlite::Connection,
        path: &Path,
    ) -> Result<Self, DatabaseError> {
        let (ask, asked) = sync_channel::<()>(1);
        let (tell, done) = sync_channel::<()>(1);
        let connection = sqlite_engine::open(path, 256)?;
        // Of a database that a version before made it is smaller than of a new one.
        let page = connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))?;
        let pages = |bytes: i64| bytes / page.max(1);
        let (begin_at, leave) = (pages(BEGIN_AT), pages(LEAVE));
        let log = Arc::new(AtomicI64::new(0));
        let seen = Arc::clone(&log);
        // In the place of SQLite's own hook, which would checkpoint inside the commit.
        writer.wal_hook(Some(
            move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
                seen.store(i64::from(pages), Ordering::Relaxed);
                Ok(())
            },
        ))?;
        let thread = std::thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn(move || {
                while asked.recv().is_ok() {
                    for _ in 0..PASSES {
                        match pass(&connection) {
                            Ok(left) if left > leave => {}
                            Ok(_) => break,
                            Err(error) => {
                                tracing::error!(%error, "a checkpoint failed; the log grows until one succeeds");
                                break;
                            }
                        }
                    }
                    if tell.send(()).is_err() {
                        break;
                    }
                }
            })
            .map_err(|error| DatabaseError::Schema(format!("cannot start the checkpoint thread: {error}")))?;
        Ok(Self {
            ask: Some(ask),
            done,
            running: false,
            begin_at,
            thread: Some(thread),
            log,
        })
    }

    /// To be called by the writer between transactions.
    pub(crate) fn between_transactions(&mut self, writer: &rusqlite::Connection) {
        if self.running {
            if self.done.try_recv().is_ok() {
                self.running = false;
                // Passive: what a reader still needs stays, and the next time will do.
                if let Err(error) = pass(writer) {
                    tracing::error!(%error, "the log could not be begun anew; it grows until one succeeds");
                }
            }
            return;
        }
        if self.log.load(Ordering::Relaxed) > self.begin_at {
            self.running = self
                .ask
                .as_ref()
                .is_some_and(|ask| ask.try_send(()).is_ok());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

/// One passive checkpoint; how many pages of log are left behind it.
fn pass(connection: &rusqlite::Connection) -> Result<i64, DatabaseError> {
    let (log, done) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    Ok(log.saturating_sub(done))
}
