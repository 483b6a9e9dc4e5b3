//! The threads that own connections, and the bounded queues before them.
//!
//! SQLite has one writer, which runs all that waits in one transaction and answers after the commit. PostgreSQL has a
//! bounded set of connections, each with a transaction of its own, and gatherers for what is worth more in company.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::checkpointer::Checkpointer;
use super::command::{Command, Reply, Task};
use super::threads::{Group, gather_postgres, serve, spawn, write_sqlite};
use super::trouble::{ANSWER_WITHIN, Look, Trouble, Turn};
use super::{Connection, DatabaseError, Gather, Location, Tx, Waiting};

/// How much waits and how much runs.
#[derive(Clone)]
pub struct PoolSettings {
    /// Where the data is.
    pub location: Location,
    /// How many commands of one kind may wait; one more is refused.
    pub queue: usize,
    /// How many commands one transaction gathers at most.
    pub group: usize,
    /// PostgreSQL: connections for commands that stand alone. SQLite: connections that read.
    pub connections: usize,
    /// PostgreSQL: connections that gather.
    pub gatherers: usize,
    /// SQLite: the writer's page cache, KiB.
    pub cache_kib: u32,
    /// SQLite: how much waits in memory.
    pub waiting: Waiting,
    /// How long a caller waits for an answer.
    pub timeout: Duration,
    /// Told of each group that was committed: how many commands it held.
    pub on_commit: Arc<dyn Fn(usize) + Send + Sync>,
}

impl std::fmt::Debug for PoolSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolSettings")
            .field("location", &self.location)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// A database that serves many callers.
pub struct Database<G: Gather> {
    gather: mpsc::Sender<Command<G>>,
    work: mpsc::Sender<Command<G>>,
    read: mpsc::Sender<Command<G>>,
    threads: Vec<JoinHandle<()>>,
    timeout: Duration,
    trouble: Trouble,
    turn: Turn,
}

impl<G: Gather> Database<G> {
    /// Opens the connections and starts their threads.
    ///
    /// # Errors
    /// When a connection cannot be opened.
    pub fn open(settings: &PoolSettings, gather: Arc<G>) -> Result<Self, DatabaseError> {
        match &settings.location {
            Location::Sqlite(path) => Self::open_sqlite(settings, path, gather),
            Location::Postgres(_) => Self::open_postgres(settings, &gather),
        }
    }

    fn open_sqlite(
        settings: &PoolSettings,
        path: &Path,
        gather: Arc<G>,
    ) -> Result<Self, DatabaseError> {
        let mut writer = Connection::open(&settings.location, settings.cache_kib)?;
        let checkpointer = match &mut writer {
            Connection::Sqlite(sqlite) => {
                sqlite.memory.waiting = settings.waiting;
                Some(Checkpointer::start(&mut sqlite.connection, path)?)
            }
            Connection::Postgres(_) => None,
        };
        let (work, waiting) = mpsc::channel(settings.queue);
        let (read, reads) = mpsc::channel(settings.queue);
        let trouble = Trouble::default();
        // Before anybody is let in: with a long trail it takes a second, and ten after the machine's own start.
        if let Err(error) = writer.transaction(|tx| gather.prepare(tx)) {
            tracing::warn!(%error, "what the first commands need could not be read beforehand: they try again");
            trouble.met(&error);
        }
        let group = Group::new(settings, gather, &trouble);
        let mut threads = vec![spawn("sqlite-writer", move || {
            write_sqlite(writer, checkpointer, waiting, &group)
        })?];
        let reads = Arc::new(Mutex::new(reads));
        for _ in 0..settings.connections.max(1) {
            let connection = Connection::open_reader(&settings.location)?;
            threads.push(serve(
                "sqlite-reader",
                connection,
                settings.location.clone(),
                Arc::clone(&reads),
                trouble.clone(),
            )?);
        }
        Ok(Self {
            gather: work.clone(),
            work,
            read,
            threads,
            timeout: settings.timeout,
            trouble,
            turn: Turn::default(),
        })
    }

    fn open_postgres(settings: &PoolSettings, gather: &Arc<G>) -> Result<Self, DatabaseError> {
        let (gathered, gathering) = mpsc::channel(settings.queue);
        let (work, waiting) = mpsc::channel(settings.queue);
        let (mut threads, trouble) = (Vec::new(), Trouble::default());
        let gathering = Arc::new(Mutex::new(gathering));
        for _ in 0..settings.gatherers.max(1) {
            let connection = Connection::open(&settings.location, settings.cache_kib)?;
            let group = Group::new(settings, Arc::clone(gather), &trouble);
            let (location, gathering) = (settings.location.clone(), Arc::clone(&gathering));
            threads.push(spawn("postgres-gather", move || {
                gather_postgres(connection, &location, &gathering, &group)
            })?);
        }
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..settings.connections.max(1) {
            let connection = Connection::open(&settings.location, settings.cache_kib)?;
            threads.push(serve(
                "postgres",
                connection,
                settings.location.clone(),
                Arc::clone(&waiting),
                trouble.clone(),
            )?);
        }
        Ok(Self {
            gather: gathered,
            read: work.clone(),
            work,
            threads,
            timeout: settings.timeout,
            trouble,
            turn: Turn::default(),
        })
    }

    /// Runs `work` in a transaction, durable before the answer.
    ///
    /// # Errors
    /// Those of `work`; [`DatabaseError::Overloaded`] at once when too much waits.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let written = self.ask(&self.work, |reply| {
            Command::Work(Box::new(Task {
                work: Some(work),
                result: None,
                reply,
            }))
        });
        self.noted(written.await)
    }

    /// Runs `work` on one state of the database; it must not write.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.ask(&self.read, |reply| {
            Command::Work(Box::new(Task {
                work: Some(work),
                result: None,
                reply,
            }))
        })
        .await
    }

    /// Runs `work` on the newest state, also where SQLite has it in the writer's memory alone; it must not write.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub async fn read_newest<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.write(work).await
    }

    /// Runs a command together with others that wait, durable before the answer.
    ///
    /// # Errors
    /// As for [`Self::write`]; an error undoes the whole group.
    pub async fn gather(&self, item: G::Item) -> Result<G::Answer, DatabaseError> {
        let gathered = self.ask(&self.gather, |reply| Command::Gather(item, reply));
        self.noted(gathered.await)
    }

    /// A write that was waited for in vain is the only sign of a store that hangs.
    fn noted<T>(&self, written: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if let Err(error @ DatabaseError::Timeout) = &written {
            self.trouble.met(error);
        }
        written
    }

    /// Whether requests can be served: reads what they need and, after a write failed, writes too. Answers within two
    /// seconds; on a database that hangs one question at most is under way.
    ///
    /// # Errors
    /// [`DatabaseError`]: they cannot.
    pub async fn ready(&self, look: Look) -> Result<(), DatabaseError> {
        let asked = async {
            let turn = self.turn.take().await?;
            if self.trouble.is_there() {
                self.write(move |tx| {
                    let _turn = turn;
                    (look.read)(tx)?;
                    (look.write)(tx)
                })
                .await?;
                self.trouble.over();
                Ok(())
            } else {
                self.read(move |tx| {
                    let _turn = turn;
                    (look.read)(tx)
                })
                .await
            }
        };
        tokio::time::timeout(ANSWER_WITHIN, asked)
            .await
            .unwrap_or(Err(DatabaseError::Timeout))
    }

    async fn ask<T>(
        &self,
        queue: &mpsc::Sender<Command<G>>,
        command: impl FnOnce(Reply<T>) -> Command<G>,
    ) -> Result<T, DatabaseError> {
        let (reply, answer) = oneshot::channel();
        queue
            .try_send(command(reply))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => DatabaseError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => DatabaseError::Gone,
            })?;
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(DatabaseError::Gone),
            Err(_) => Err(DatabaseError::Timeout),
        }
    }

    /// How many commands wait for a write.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let waiting = |queue: &mpsc::Sender<Command<G>>| queue.max_capacity() - queue.capacity();
        if self.gather.same_channel(&self.work) {
            waiting(&self.work)
        } else {
            waiting(&self.gather) + waiting(&self.work)
        }
    }

    /// Takes no more commands, runs those that wait, and ends the threads.
    pub fn close(self) {
        let Self {
            gather,
            work,
            read,
            threads,
            ..
        } = self;
        drop((gather, work, read));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a database thread panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::PoisonError;

    use super::*;

    /// Writes down what is asked of it; getting ready succeeds or not.
    struct Noting {
        deeds: Mutex<Vec<&'static str>>,
        gets_ready: bool,
    }

    impl Noting {
        fn note(&self, deed: &'static str) {
            self.deeds
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(deed);
        }
    }

    impl Gather for Noting {
        type Item = ();
        type Answer = ();

        fn prepare(&self, _: &mut Tx<'_>) -> Result<(), DatabaseError> {
            self.note("prepared");
            self.gets_ready.then_some(()).ok_or(DatabaseError::Timeout)
        }

        fn run(&self, _: &mut Tx<'_>, items: &[()]) -> Result<Vec<()>, DatabaseError> {
            self.note("ran");
            Ok(items.to_vec())
        }
    }

    #[test]
    fn sqlite_gets_ready_before_anybody_is_let_in_and_serves_also_where_that_fails() {
        for gets_ready in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let settings = PoolSettings {
                location: Location::Sqlite(folder.path().join("tokens.db")),
                queue: 8,
                group: 8,
                connections: 1,
                gatherers: 1,
                cache_kib: 512,
                waiting: Waiting::default(),
                timeout: Duration::from_secs(30),
                on_commit: Arc::new(|_| ()),
            };
            let noting = Arc::new(Noting {
                deeds: Mutex::default(),
                gets_ready,
            });
            drop(Connection::open(&settings.location, 512).unwrap());
            let database = Database::open(&settings, Arc::clone(&noting)).unwrap();
            assert_eq!(*noting.deeds.lock().unwrap(), ["prepared"]);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            // Writing is looked at where getting ready met trouble, and not otherwise.
            let look = Look {
                read: |_| Ok(()),
                write: |_| Err(DatabaseError::Gone),
            };
            assert_eq!(runtime.block_on(database.ready(look)).is_ok(), gets_ready);
            runtime.block_on(database.gather(())).unwrap();
            assert_eq!(*noting.deeds.lock().unwrap(), ["prepared", "ran"]);
            database.close();
        }
    }
}
