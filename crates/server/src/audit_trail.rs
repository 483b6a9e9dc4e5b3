//! The audit trail as a whole: its signed checkpoints, kept apart, and its verification (rule S9).

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use warifu_credentials::audit::{Head, Mark, Position};
use warifu_credentials::checkpoint::Checkpoint;

use crate::database::{Connection, DatabaseError};
use crate::service::secrets::ServiceSecrets;
use crate::store::{audit, folded};

/// Rows read in one go.
const PAGE: i64 = 10_000;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that were verified.
    pub rows: u64,
    /// Streams that have rows.
    pub streams: usize,
    /// Checkpoints whose signatures were verified.
    pub checkpoints: usize,
    /// What is wrong, in words; empty for a whole trail.
    pub faults: Vec<String>,
}

/// A checkpoint file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFileError {
    /// The file system said so.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line is no checkpoint.
    #[error("line {line} is no checkpoint")]
    Line {
        /// Which, from 1.
        line: usize,
    },
}

/// Appends a checkpoint to its file (0600) and makes it durable. What a crash or a full disk left of a line before it is
/// cut off first.
///
/// # Errors
/// When the file cannot be written.
pub fn append_checkpoint(path: &Path, checkpoint: &Checkpoint) -> Result<(), CheckpointFileError> {
    let mut line = serde_json::to_vec(checkpoint).map_err(std::io::Error::from)?;
    line.push(b'\n');
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // Lines of several processes do not mix; the lock goes with the file.
    file.lock()?;
    let whole = end_of_whole_lines(&mut file)?;
    if whole < file.metadata()?.len() {
        file.set_len(whole)?;
    }
    if let Err(error) = file.write_all(&line) {
        // Else the next one does it.
        let _ = file.set_len(whole);
        return Err(error.into());
    }
    file.sync_data()?;
    Ok(())
}

/// Where the last line that has its end, ends.
fn end_of_whole_lines(file: &mut File) -> std::io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut block = [0; 4096];
    while end > 0 {
        let begin = end.saturating_sub(4096);
        file.seek(SeekFrom::Start(begin))?;
        let size = usize::try_from(end - begin).unwrap_or_default();
        let part = block.get_mut(..size).unwrap_or_default();
        file.read_exact(part)?;
        if let Some(place) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + u64::try_from(place).unwrap_or_default() + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// Reads a checkpoint file. A last line without its end was cut off by a crash while it was written and is passed over.
///
/// # Errors
/// When the file cannot be read or a whole line is no checkpoint.
pub fn read_checkpoints(path: &Path) -> Result<Vec<Checkpoint>, CheckpointFileError> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut checkpoints = Vec::new();
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            break;
        }
        checkpoints.push(
            serde_json::from_str(&line).map_err(|_| CheckpointFileError::Line { line: number })?,
        );
    }
    Ok(checkpoints)
}

/// Verifies every row against its chain, every chain against its head, and all against the checkpoints. Rows that a
/// running service appends meanwhile are left for the next time.
///
/// # Errors
/// When the database cannot be read; what is wrong with the trail is in the report.
pub fn verify(
    connection: &mut Connection,
    secrets: &ServiceSecrets,
    checkpoints: &[Checkpoint],
) -> Result<Report, DatabaseError> {
    let mut report = Report {
        checkpoints: checkpoints.len(),
        ..Report::default()
    };
    let known = verified_heads(secrets, checkpoints, &mut report);
    if checkpoints.is_empty() {
        report
            .faults
            .push("there is no checkpoint: without one a cut tail cannot be found".into());
    }
    let (heads, (rows, expected), folded) =
        connection.read(|tx| Ok((audit::heads(tx)?, audit::counts(tx)?, folded::look(tx)?)))?;
    if rows != expected {
        report.faults.push(format!(
            "the trail has {rows} rows, but its heads say {expected}: rows were added or removed"
        ));
    }
    let through = folded.requests.map_or(0, |(through, _)| through);
    let mut requests = 0;
    for head in &heads {
        let (rows, of_folded) = walk(connection, secrets, &known, (*head, through), &mut report)?;
        report.rows += rows;
        report.streams += usize::from(rows > 0);
        requests += of_folded;
    }
    // A trail that is not whole has said so.
    if let Some((_, found)) = folded.requests.filter(|_| report.faults.is_empty())
        && found != requests
    {
        report.faults.push(format!(
            "{requests} rows of the trail have a request that was folded, but {found} are to be found"
        ));
    }
    report.faults.extend(folded.faults);
    for position in known.keys().filter(|position| {
        !heads
            .iter()
            .any(|head| head.position.stream == position.stream)
    }) {
        report.faults.push(format!(
            "stream {} of a checkpoint is gone",
            position.stream
        ));
    }
    if report.rows == 0 {
        report
            .faults
            .push("there is no row to verify: nothing proves nothing".into());
    }
    Ok(report)
}

fn verified_heads(
    secrets: &ServiceSecrets,
    checkpoints: &[Checkpoint],
    report: &mut Report,
) -> HashMap<Position, Mark> {
    let mut known = HashMap::new();
    for checkpoint in checkpoints {
        let heads = match secrets.signer.verify(checkpoint) {
            Ok(heads) => heads,
            Err(error) => {
                report.faults.push(error.to_string());
                continue;
            }
        };
        for head in heads {
            let before = known.insert(head.position, head.mark);
            if before.is_some_and(|before| before != head.mark) {
                report.faults.push(format!(
                    "two checkpoints name different rows {} of stream {}: the trail was cut and written anew",
                    head.position.sequence, head.position.stream
                ));
            }
        }
    }
    known
}

/// Walks one stream up to its head and tells how many rows hold, and how many of those up to a stored position have a
/// request.
fn walk(
    connection: &mut Connection,
    secrets: &ServiceSecrets,
    known: &HashMap<Position, Mark>,
    (end, through): (Head, i64),
    report: &mut Report,
) -> Result<(u64, u64), DatabaseError> {
    let stream = end.position.stream;
    let mut head = Head::empty(stream);
    let mut requests = 0;
    while head.position.sequence < end.position.sequence {
        let after = head.position.to_stored();
        let rows = connection.read(|tx| audit::rows_after(tx, after, PAGE))?;
        let before = head;
        for (position, event, mark) in &rows {
            if position.stream != stream || head.position.sequence >= end.position.sequence {
                break;
            }
            match secrets.chain.follow(head, *position, event, *mark) {
                Ok(next) => head = next,
                Err(broken) => {
                    report.faults.push(broken.to_string());
                    return Ok((head.position.sequence, requests));
                }
            }
            requests += u64::from(event.request.is_some() && position.to_stored() <= through);
            if known
                .get(position)
                .is_some_and(|checkpointed| checkpointed != mark)
            {
                report.faults.push(format!(
                    "row {} of stream {stream} is not the one that a checkpoint names",
                    position.sequence
                ));
            }
        }
        if head == before {
            report.faults.push(format!(
                "stream {stream} ends at row {}, but should have {}: its tail was cut",
                head.position.sequence, end.position.sequence
            ));
            return Ok((head.position.sequence, requests));
        }
    }
    if head != end {
        report.faults.push(format!(
            "the head of stream {stream} is not its last row: the head was changed"
        ));
    }
    let newest = known
        .keys()
        .filter(|position| position.stream == stream)
        .map(|position| position.sequence)
        .max();
    if let Some(newest) = newest.filter(|newest| *newest > end.position.sequence) {
        report.faults.push(format!(
            "a checkpoint names row {newest} of stream {stream}, which ends at row {}: its tail was cut",
            end.position.sequence
        ));
    }
    Ok((head.position.sequence, requests))
}
