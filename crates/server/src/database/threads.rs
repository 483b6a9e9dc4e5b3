//! The threads that own connections and serve the queues.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use super::checkpointer::Checkpointer;
use super::command::Command;
use super::trouble::Trouble;
use super::{Connection, DatabaseError, Gather, Location, PoolSettings};

/// How long whoever was not alone with one caller waits for more company. The callers who were just answered are about to
/// ask again, and a transaction takes longer than this: a moment's patience spares many of them.
const SQLITE_PATIENCE: Duration = Duration::from_micros(100);
const POSTGRES_PATIENCE: Duration = Duration::from_micros(200);

/// How often one command that PostgreSQL undid for another's sake is begun.
const TRIES: u32 = 3;

/// How a thread gathers.
pub(super) struct Group<G> {
    gather: Arc<G>,
    size: usize,
    on_commit: Arc<dyn Fn(usize) + Send + Sync>,
    trouble: Trouble,
}

impl<G: Gather> Group<G> {
    pub(super) fn new(settings: &PoolSettings, gather: Arc<G>, trouble: &Trouble) -> Self {
        Self {
            gather,
            size: settings.group,
            on_commit: Arc::clone(&settings.on_commit),
            trouble: trouble.clone(),
        }
    }
}

pub(super) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, DatabaseError> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map_err(|error| DatabaseError::Schema(format!("cannot start the thread {name}: {error}")))
}

pub(super) fn write_sqlite<G: Gather>(
    mut connection: Connection,
    mut checkpointer: Option<Checkpointer>,
    mut queue: mpsc::Receiver<Command<G>>,
    group: &Group<G>,
) {
    let mut commands = Vec::with_capacity(group.size);
    let mut last = 1;
    while receive(
        &mut queue,
        &mut commands,
        group.size,
        // Where half of them are back already, the others come while these are written.
        Patience {
            below: last / 2 + 1,
            wait: SQLITE_PATIENCE,
        },
    ) {
        last = commands.len();
        run_group(&mut connection, group, commands.drain(..));
        if let (Some(checkpointer), Connection::Sqlite(sqlite)) = (&mut checkpointer, &connection) {
            checkpointer.between_transactions(&sqlite.connection);
        }
    }
}

pub(super) fn gather_postgres<G: Gather>(
    mut connection: Connection,
    location: &Location,
    queue: &Mutex<mpsc::Receiver<Command<G>>>,
    group: &Group<G>,
) {
    let mut commands = Vec::with_capacity(group.size);
    let mut company = false;
    let receive = |commands: &mut _, company: bool| {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = Patience {
            below: if company { group.size } else { 0 },
            wait: POSTGRES_PATIENCE,
        };
        receive(&mut queue, commands, group.size, patience)
    };
    while receive(&mut commands, company) {
        company = commands.len() > 1;
        connection.wake(location);
        run_group(&mut connection, group, commands.drain(..));
        reconnect(&mut connection, location);
    }
}

/// How long to wait for more commands, and when.
#[derive(Clone, Copy)]
struct Patience {
    /// Where fewer than so many came.
    below: usize,
    wait: Duration,
}

/// Waits for commands, and where few came a moment more for their company; `false` when there will be none any more.
fn receive<T>(
    queue: &mut mpsc::Receiver<T>,
    commands: &mut Vec<T>,
    limit: usize,
    patience: Patience,
) -> bool {
    let received = queue.blocking_recv_many(commands, limit);
    if received > 0 && received < patience.below.min(limit) {
        std::thread::sleep(patience.wait);
        while commands.len() < limit
            && let Ok(command) = queue.try_recv()
        {
            commands.push(command);
        }
    }
    received > 0
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
                if let Err(error) = result {
                    group.trouble.met(error);
                }
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
            group.trouble.met(&error);
            for (item, reply) in items.iter().zip(replies) {
                let _ = reply.send(if error.may_concern_one() {
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

/// Runs one of a group that was undone, so that only whoever is at fault gets no answer.
fn run_alone<G: Gather>(
    connection: &mut Connection,
    group: &Group<G>,
    item: &G::Item,
) -> Result<G::Answer, DatabaseError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let answers = catch_unwind(AssertUnwindSafe(|| {
            connection.transaction(|tx| group.gather.run(tx, std::slice::from_ref(item)))
        }))
        .unwrap_or(Err(DatabaseError::Gone));
        match answers {
            // Whoever stood in the way may be done by now, and nothing of this is left.
            Err(error) if error.conflict() && tries < TRIES => {}
            answers => return answers?.into_iter().next().ok_or(DatabaseError::Gone),
        }
    }
}

/// A thread that serves commands one by one, each in a transaction of its own.
pub(super) fn serve<G: Gather>(
    name: &'static str,
    mut connection: Connection,
    location: Location,
    queue: Arc<Mutex<mpsc::Receiver<Command<G>>>>,
    trouble: Trouble,
) -> Result<JoinHandle<()>, DatabaseError> {
    spawn(name, move || {
        loop {
            let command = queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .blocking_recv();
            match command {
                Some(Command::Work(mut work)) => {
                    connection.wake(&location);
                    let end = if matches!(location, Location::Sqlite(_)) {
                        connection.read(|tx| work.run(tx))
                    } else {
                        connection.transaction(|tx| work.run(tx))
                    };
                    if let Err(error) = &end {
                        tracing::debug!(%error, "a command was undone");
                        trouble.met(error);
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
