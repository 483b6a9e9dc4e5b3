//! The audit trail's rows and the heads of its streams (rule S9).

use jiff::Timestamp;
use warifu_credentials::audit::{Chain, Event, Head, Kind, Mark, Outcome, Position};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::party::PartyId;
use warifu_credentials::request::{Fingerprint, RequestDigest, StoredDigest};

use crate::database::{DatabaseError, Row, Tx, Value};

/// Streams on PostgreSQL: that many transactions append at once without waiting for one another.
const POSTGRES_STREAMS: u16 = 16;

/// Columns of a row.
const COLUMNS: usize = 11;

/// How many rows one statement of SQLite inserts: it finds the end of the trail once for all of them.
const ROWS: usize = 8;

const INSERT_ONE: &str = "INSERT INTO audit (position, at, kind, outcome, credential, party, detail, request, fingerprint, note, mark)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const INSERT_MANY: &str = "INSERT INTO audit (position, at, kind, outcome, credential, party, detail, request, fingerprint, note, mark)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11),
            (?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22),
            (?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33),
            (?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44),
            (?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52, ?53, ?54, ?55),
            (?56, ?57, ?58, ?59, ?60, ?61, ?62, ?63, ?64, ?65, ?66),
            (?67, ?68, ?69, ?70, ?71, ?72, ?73, ?74, ?75, ?76, ?77),
            (?78, ?79, ?80, ?81, ?82, ?83, ?84, ?85, ?86, ?87, ?88)";

/// Makes the streams, and the row that the trail begins with.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn open(tx: &mut Tx<'_>, chain: &Chain, now: Timestamp) -> Result<(), DatabaseError> {
    let streams = match tx {
        Tx::Sqlite(_) => 1,
        Tx::Postgres(_) => POSTGRES_STREAMS,
    };
    let mut made = 0;
    for stream in 1..=streams {
        made += tx.execute(
            "INSERT INTO audit_streams (stream, sequence, mark) VALUES (?1, 0, ?2) ON CONFLICT DO NOTHING",
            &[Value::Int(i64::from(stream)), Value::Bytes(&[0; 32])],
        )?;
    }
    if made > 0 {
        append(tx, chain, &[Event::new(now, Kind::Opened)])
    } else {
        Ok(())
    }
}

/// Appends events to a stream that no other transaction holds.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn append(tx: &mut Tx<'_>, chain: &Chain, events: &[Event]) -> Result<(), DatabaseError> {
    let Some(first) = events.first() else {
        return Ok(());
    };
    let start = take_stream(tx, first.at)?;
    let mut head = start;
    let mut marks = Vec::with_capacity(events.len());
    for event in events {
        head = chain.append(head, event);
        marks.push(head);
    }
    insert(tx, events, &marks)?;
    tx.execute_exactly(
        1,
        "the head of an audit stream",
        "UPDATE audit_streams SET sequence = ?3, mark = ?4 WHERE stream = ?1 AND sequence = ?2",
        &[
            Value::Int(i64::from(start.position.stream)),
            Value::Int(start.position.sequence.cast_signed()),
            Value::Int(head.position.sequence.cast_signed()),
            Value::Bytes(&head.mark.0),
        ],
    )
}

/// The head of a stream, locked until the transaction ends.
fn take_stream(tx: &mut Tx<'_>, now: Timestamp) -> Result<Head, DatabaseError> {
    let missing = || {
        DatabaseError::Schema(
            "the database has no audit streams: it was never opened by a service".into(),
        )
    };
    match tx {
        Tx::Sqlite(_) => tx
            .query_one(
                "SELECT stream, sequence, mark FROM audit_streams WHERE stream = 1",
                &[],
                read_head,
            )?
            .ok_or_else(missing),
        Tx::Postgres(_) => {
            let free = tx.query_one(
                "SELECT stream, sequence, mark FROM audit_streams ORDER BY stream LIMIT 1 FOR UPDATE SKIP LOCKED",
                &[],
                read_head,
            )?;
            if let Some(head) = free {
                return Ok(head);
            }
            // All are held: wait for one, whichever the clock's last digits say.
            let any = now.as_microsecond().rem_euclid(i64::from(POSTGRES_STREAMS)) + 1;
            tx.query_one(
                "SELECT stream, sequence, mark FROM audit_streams WHERE stream = ?1 FOR UPDATE",
                &[Value::Int(any)],
                read_head,
            )?
            .ok_or_else(missing)
        }
    }
}

fn insert(tx: &mut Tx<'_>, events: &[Event], heads: &[Head]) -> Result<(), DatabaseError> {
    match tx {
        Tx::Sqlite(sqlite) => {
            let requests = stored_requests(events);
            let rows: Vec<_> = events
                .iter()
                .zip(&requests)
                .zip(heads)
                .map(|((event, request), head)| sqlite_row(event, request.as_ref(), head))
                .collect();
            let mut many = sqlite.repeated(INSERT_MANY)?;
            let mut one = sqlite.repeated(INSERT_ONE)?;
            for rows in rows.chunks(ROWS) {
                if rows.len() == ROWS {
                    many.execute(rows.as_flattened())?;
                } else {
                    for row in rows {
                        one.execute(row)?;
                    }
                }
            }
            for (event, head) in events.iter().zip(heads) {
                if let Some(request) = &event.request {
                    sqlite.add_request(request, head.position.to_stored())?;
                }
            }
            Ok(())
        }
        Tx::Postgres(_) => insert_arrays(tx, events, heads),
    }
}

fn stored_requests(events: &[Event]) -> Vec<Option<StoredDigest>> {
    let stored = |event: &Event| event.request.map(RequestDigest::to_stored);
    events.iter().map(stored).collect()
}

/// The values of a row, in the order of its columns.
fn sqlite_row<'a>(
    event: &'a Event,
    request: Option<&'a StoredDigest>,
    head: &'a Head,
) -> [Value<'a>; COLUMNS] {
    [
        Value::Int(head.position.to_stored()),
        Value::Int(event.at.as_microsecond()),
        Value::Int(event.kind.to_stored()),
        Value::Int(event.outcome.to_stored()),
        Value::MaybeInt(event.credential.map(CredentialId::to_stored)),
        Value::MaybeInt(event.party.map(|party| party.0)),
        Value::Int(event.detail),
        Value::MaybeBytes(request.map(StoredDigest::as_bytes)),
        Value::MaybeBytes(
            event
                .fingerprint
                .as_ref()
                .map(|fingerprint| fingerprint.0.as_slice()),
        ),
        Value::Text(&event.note),
        Value::Bytes(&head.mark.0),
    ]
}

fn insert_arrays(tx: &mut Tx<'_>, events: &[Event], heads: &[Head]) -> Result<(), DatabaseError> {
    fn column<'a, T>(events: &'a [Event], value: impl Fn(&'a Event) -> T) -> Vec<T> {
        events.iter().map(value).collect()
    }
    let requests = stored_requests(events);
    let requests: Vec<_> = requests
        .iter()
        .map(|request| request.as_ref().map(StoredDigest::as_bytes))
        .collect();
    let positions: Vec<_> = heads.iter().map(|head| head.position.to_stored()).collect();
    let marks: Vec<_> = heads
        .iter()
        .map(|head| Some(head.mark.0.as_slice()))
        .collect();
    tx.execute_exactly(
        events.len(),
        "audit rows",
        "INSERT INTO audit (position, at, kind, outcome, credential, party, detail, request, fingerprint, note, mark)
         SELECT * FROM unnest(?1::BIGINT[], ?2::BIGINT[], ?3::BIGINT[], ?4::BIGINT[], ?5::BIGINT[], ?6::BIGINT[],
                              ?7::BIGINT[], ?8::BYTEA[], ?9::BYTEA[], ?10::TEXT[], ?11::BYTEA[])",
        &[
            Value::Ints(&positions),
            Value::Ints(&column(events, |event| event.at.as_microsecond())),
            Value::Ints(&column(events, |event| event.kind.to_stored())),
            Value::Ints(&column(events, |event| event.outcome.to_stored())),
            Value::MaybeInts(&column(events, |event| event.credential.map(CredentialId::to_stored))),
            Value::MaybeInts(&column(events, |event| event.party.map(|party| party.0))),
            Value::Ints(&column(events, |event| event.detail)),
            Value::ByteStrings(&requests),
            Value::ByteStrings(&column(events, |event| event.fingerprint.as_ref().map(|print| print.0.as_slice()))),
            Value::Texts(&column(events, |event| event.note.as_str())),
            Value::ByteStrings(&marks),
        ],
    )
}

/// The head of every stream, by stream.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn heads(tx: &mut Tx<'_>) -> Result<Vec<Head>, DatabaseError> {
    tx.query(
        "SELECT stream, sequence, mark FROM audit_streams ORDER BY stream",
        &[],
        read_head,
    )
}

/// The latest time in the newest rows of the streams, µs UTC.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn newest_at(tx: &mut Tx<'_>) -> Result<Option<i64>, DatabaseError> {
    let mut newest = None;
    for head in heads(tx)? {
        let at = tx.query_one(
            "SELECT at FROM audit WHERE position = ?1",
            &[Value::Int(head.position.to_stored())],
            |row| row.int(0),
        )?;
        newest = newest.max(at);
    }
    Ok(newest)
}

/// How many rows there are, and how many the heads of the streams say, as of one moment.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn counts(tx: &mut Tx<'_>) -> Result<(i64, i64), DatabaseError> {
    // One statement, so that a running service cannot append between two looks.
    let counts = tx.query_one(
        "SELECT (SELECT COUNT(*) FROM audit), (SELECT CAST(SUM(sequence) AS BIGINT) FROM audit_streams)",
        &[],
        |row| Ok((row.int(0)?, row.maybe_int(1)?.unwrap_or(0))),
    )?;
    Ok(counts.unwrap_or_default())
}

/// A row of the trail as it is stored.
pub type StoredRow = (Position, Event, Mark);

/// At most `limit` rows after a stored position, in order.
///
/// # Errors
/// [`DatabaseError::Stored`] names a row that no version of this program wrote.
pub fn rows_after(
    tx: &mut Tx<'_>,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredRow>, DatabaseError> {
    tx.query(
        "SELECT position, at, kind, outcome, credential, party, detail, request, fingerprint, note, mark
         FROM audit WHERE position > ?1 ORDER BY position LIMIT ?2",
        &[Value::Int(after), Value::Int(limit)],
        read_row,
    )
}

fn read_head(row: &Row<'_>) -> Result<Head, DatabaseError> {
    let stream = row.int(0)?;
    let stored = |column| DatabaseError::Stored {
        table: "audit_streams",
        column,
        row: stream,
    };
    Ok(Head {
        position: Position {
            stream: u16::try_from(stream).map_err(|_| stored("stream"))?,
            sequence: u64::try_from(row.int(1)?).map_err(|_| stored("sequence"))?,
        },
        mark: Mark(row.bytes(2)?.try_into().map_err(|_| stored("mark"))?),
    })
}

fn read_row(row: &Row<'_>) -> Result<StoredRow, DatabaseError> {
    let position = row.int(0)?;
    let stored = |column| DatabaseError::Stored {
        table: "audit",
        column,
        row: position,
    };
    let request = row.maybe_bytes(7)?;
    let fingerprint = row.maybe_bytes(8)?;
    let event = Event {
        at: Timestamp::from_microsecond(row.int(1)?).map_err(|_| stored("at"))?,
        kind: Kind::from_stored(row.int(2)?).ok_or_else(|| stored("kind"))?,
        outcome: Outcome::from_stored(row.int(3)?).ok_or_else(|| stored("outcome"))?,
        credential: row
            .maybe_int(4)?
            .map(|id| CredentialId::from_stored(id).ok_or_else(|| stored("credential")))
            .transpose()?,
        party: row.maybe_int(5)?.map(PartyId),
        detail: row.int(6)?,
        request: request
            .map(|bytes| RequestDigest::from_stored(&bytes).ok_or_else(|| stored("request")))
            .transpose()?,
        fingerprint: fingerprint
            .map(|bytes| bytes.try_into().map_err(|_| stored("fingerprint")))
            .transpose()?
            .map(Fingerprint),
        note: row.text(9)?,
    };
    let mark = Mark(row.bytes(10)?.try_into().map_err(|_| stored("mark"))?);
    Ok((Position::from_stored(position), event, mark))
}
