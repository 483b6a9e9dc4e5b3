//! The threads that own connections, and the bounded queues before them.
//!
//! SQLite has one writer, which runs all that waits in one transaction and answers after the commit. PostgreSQL has a
//! bounded set of connections, each with a transaction of its own, and gatherers for what is worth more in company.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::checkpointer::Checkpointer;
use super::{Connection, DatabaseError, Gather, Location, Tx};

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

/// How long a PostgreSQL gatherer that is not alone with one caller waits for more company; a transaction takes longer.
const PATIENCE: Duration = Duration::from_micros(200);

type Reply<T> = oneshot::Sender<Result<T, DatabaseError>>;

enum Command<G: Gather> {
    Gather(G::Item, Reply<G::Answer>),
    Work(Box<dyn Work>),
}

/// A command that stands alone: run in a transaction, answered after its end.
trait Work: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), DatabaseError>;
    /// `end` is how the transaction ended.
    fn answer(self: Box<Self>, end: Result<(), DatabaseError>);
}

struct Task<F, T> {
    work: Option<F>,
    result: Option<T>,
    reply: Reply<T>,
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
        let work = self.work.take().ok_or(DatabaseError::Gone)?;
        // A panic is this command's fault alone; the others of its group go on.
        self.result =
            Some(catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(DatabaseError::Gone))?);
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<(), DatabaseError>) {
        let Self { result, reply, .. } = *self;
        let result = end.and_then(|()| result.ok_or(DatabaseError::Gone));
        // Nobody may wait any more; the work is done all the same.
        let _ = reply.send(result);
    }
}

/// A database that serves many callers.
pub struct Database<G: Gather> {
    gather: mpsc::Sender<Command<G>>,
    work: mpsc::Sender<Command<G>>,
    read: mpsc::Sender<Command<G>>,
    threads: Vec<JoinHandle<()>>,
    timeout: Duration,
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
            Connection::Sqlite(sqlite) => Some(Checkpointer::start(&mut sqlite.connection, path)?),
            Connection::Postgres(_) => None,
        };
        let (work, waiting) = mpsc::channel(settings.queue);
        let (read, reads) = mpsc::channel(settings.queue);
        let group = Group::new(settings, gather);
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
            )?);
        }
        Ok(Self {
            gather: work.clone(),
            work,
            read,
            threads,
            timeout: settings.timeout,
        })
    }

    fn open_postgres(settings: &PoolSettings, gather: &Arc<G>) -> Result<Self, DatabaseError> {
        let (gathered, gathering) = mpsc::channel(settings.queue);
        let (work, waiting) = mpsc::channel(settings.queue);
        let mut threads = Vec::new();
        let gathering = Arc::new(Mutex::new(gathering));
        for _ in 0..settings.gatherers.max(1) {
            let connection = Connection::open(&settings.location, settings.cache_kib)?;
            let group = Group::new(settings, Arc::clone(gather));
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
            )?);
        }
        Ok(Self {
            gather: gathered,
            read: work.clone(),
            work,
            threads,
            timeout: settings.timeout,
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
        self.ask(&self.work, |reply| {
            Command::Work(Box::new(Task {
                work: Some(work),
                result: None,
                reply,
            }))
        })
        .await
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

    /// Runs a command together with others that wait, durable before the answer.
    ///
    /// # Errors
    /// As for [`Self::write`]; an error undoes the whole group.
    pub async fn gather(&self, item: G::Item) -> Result<G::Answer, DatabaseError> {
        self.ask(&self.gather, |reply| Command::Gather(item, reply))
            .await
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

struct Group<G> {
    gather: Arc<G>,
    size: usize,
    on_commit: Arc<dyn Fn(usize) + Send + Sync>,
}

impl<G: Gather> Group<G> {
    fn new(settings: &PoolSettings, gather: Arc<G>) -> Self {
        Self {
            gather,
            size: settings.group,
            on_commit: Arc::clone(&settings.on_commit),
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DatabaseError> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map_err(|error| DatabaseError::Schema(format!("cannot start the thread {name}: {error}")))
}

fn write_sqlite<G: Gather>(
    mut connection: Connection,
    mut checkpointer: Option<Checkpointer>,
    mut queue: mpsc::Receiver<Command<G>>,
    group: &Group<G>,
) {
    let mut commands = Vec::with_capacity(group.size);
    while queue.blocking_recv_many(&mut commands, group.size) > 0 {
        run_group(&mut connection, group, commands.drain(..));
        if let (Some(checkpointer), Connection::Sqlite(sqlite)) = (&mut checkpointer, &connection) {
            checkpointer.between_transactions(&sqlite.connection);
        }
    }
}

fn gather_postgres<G: Gather>(
    mut connection: Connection,
    location: &Location,
    queue: &Mutex<mpsc::Receiver<Command<G>>>,
    group: &Group<G>,
) {
    let mut commands = Vec::with_capacity(group.size);
    let mut company = false;
    loop {
        {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.blocking_recv_many(&mut commands, group.size) == 0 {
                return;
            }
            // The callers who were just answered are about to ask again: a moment's patience spares many transactions.
            if company && commands.len() < group.size {
                std::thread::sleep(PATIENCE);
                while commands.len() < group.size
                    && let Ok(command) = queue.try_recv()
                {
                    commands.push(command);
                }
            }
        }
        company = commands.len() > 1;
        run_group(&mut connection, group, commands.drain(..));
        reconnect(&mut connection, location);
    }
}

/// Runs a group in one transaction: the gathered commands together, the others each under a savepoint.
fn run_group<G: Gather>(
    connection: &mut Connection,
    group: &Group<G>,
    commands: impl Iterator<Item = Command<G>>,
) {
    let mut items = Vec::new();
    let mut replies = Vec::new();
    let mut works = Vec::new();
    for command in commands {
        match command {
            Command::Gather(item, reply) => {
                items.push(item);
                replies.push(reply);
            }
            Command::Work(work) => works.push((work, Ok(()))),
        }
    }
    let count = items.len() + works.len();
    let end = catch_unwind(AssertUnwindSafe(|| {
        connection.transaction(|tx| {
            let answers = if items.is_empty() {
                Vec::new()
            } else {
                group.gather.run(tx, &items)?
            };
            for (work, result) in &mut works {
                *result = tx.apart(|tx| work.run(tx));
            }
            Ok(answers)
        })
    }))
    .unwrap_or(Err(DatabaseError::Gone));
    let committed = match end {
        Ok(answers) => {
            (group.on_commit)(count);
            for (reply, answer) in replies.into_iter().zip(answers) {
                // Nobody may wait any more; the work is done all the same.
                let _ = reply.send(Ok(answer));
            }
            true
        }
        Err(error) => {
            tracing::error!(%error, commands = count, "a group of commands was undone");
            for (item, reply) in items.iter().zip(replies) {
                let _ = reply.send(if error.unique_violation() {
                    run_alone(connection, group, item)
                } else {
                    Err(DatabaseError::Gone)
                });
            }
            false
        }
    };
    for (work, result) in works {
        work.answer(if committed {
            result
        } else {
            Err(DatabaseError::Gone)
        });
    }
}

/// Runs one of a group that was undone because two copies of the service answered one request at the same time: now the
/// other copy's answer is there to be found.
fn run_alone<G: Gather>(
    connection: &mut Connection,
    group: &Group<G>,
    item: &G::Item,
) -> Result<G::Answer, DatabaseError> {
    let answers = connection.transaction(|tx| group.gather.run(tx, std::slice::from_ref(item)))?;
    answers.into_iter().next().ok_or(DatabaseError::Gone)
}

/// A thread that serves commands one by one, each in a transaction of its own.
fn serve<G: Gather>(
    name: &'static str,
    mut connection: Connection,
    location: Location,
    queue: Arc<Mutex<mpsc::Receiver<Command<G>>>>,
) -> Result<JoinHandle<()>, DatabaseError> {
    spawn(name, move || {
        loop {
            let command = queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .blocking_recv();
            match command {
                Some(Command::Work(mut work)) => {
                    let end = if matches!(location, Location::Sqlite(_)) {
                        connection.read(|tx| work.run(tx))
                    } else {
                        connection.transaction(|tx| work.run(tx))
                    };
                    if let Err(error) = &end {
                        tracing::debug!(%error, "a command was undone");
                    }
                    work.answer(end);
                    reconnect(&mut connection, &location);
                }
                Some(Command::Gather(..)) => {
                    tracing::error!("a gathered command came to a connection that does not gather")
                }
                None => return,
            }
        }
    })
}

/// Opens a lost connection again; while that fails, the next command finds it lost and answers so.
fn reconnect(connection: &mut Connection, location: &Location) {
    if connection.is_closed() {
        match Connection::open(location, 0) {
            Ok(opened) => *connection = opened,
            Err(error) => {
                tracing::error!(%error, "the database cannot be reached");
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }
}
