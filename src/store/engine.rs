//! One open store: its LMDB environment, and reading from it.

use super::clock::Clock;
use super::flight::{Flight, Token};
use super::folder::Folder;
use super::record::{COUNTS, ENTRY, EXPIRY, FLIGHT, MAX_KEY, Record, SETTINGS, key_in, now_ms};
use super::turn::Turn;
use crate::error::{Error, Result};
use crate::sys::lmdb;
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, MdbError, RoTxn, WithTls};
use std::io;
use std::ops::Bound;
use std::path::Path;

/// The one database of the file.
pub type Table = Database<'static, Bytes, Bytes>;

/// First bytes of the settings record: names the format.
pub(super) const FORMAT: &[u8] = b"rustcluster store 1\n";

/// What a store is opened with. All who have it open agree on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Bytes that entries may take, see [`footprint`](super::record::footprint).
    pub max_size: u64,
    /// A full store makes room by evicting what was not used lately; else it refuses.
    pub evict: bool,
    /// A write is acknowledged once it is on the disk.
    pub durable: bool,
}

impl Settings {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = FORMAT.to_vec();
        bytes.extend_from_slice(&self.max_size.to_le_bytes());
        bytes.push(u8::from(self.evict));
        bytes.push(u8::from(self.durable));
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (max_size, flags) = bytes.strip_prefix(FORMAT)?.split_first_chunk::<8>()?;
        let &[evict, durable] = flags else { return None };
        Some(Self { max_size: u64::from_le_bytes(*max_size), evict: evict != 0, durable: durable != 0 })
    }

    /// Bytes of address space, and the most the file can grow to. Deleting takes room before it gives some, pages are
    /// seldom full, and freed ones wait for their readers: twice the size and some.
    fn map_size(&self) -> usize {
        let bytes = self.max_size.saturating_mul(2).saturating_add(64 << 20).next_multiple_of(1 << 20);
        usize::try_from(bytes).unwrap_or(usize::MAX & !0xf_ffff)
    }
}

/// Running totals, kept with each transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries, expired ones that are not swept yet among them.
    pub entries: u64,
    /// What they take.
    pub bytes: u64,
    /// The key the evictor looked at last.
    pub hand: Vec<u8>,
}

impl Counts {
    /// Takes stored bytes apart; nothing stored yet are no entries.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (entries, rest) = bytes.split_first_chunk::<8>()?;
        let (bytes, hand) = rest.split_first_chunk::<8>()?;
        Some(Self { entries: u64::from_le_bytes(*entries), bytes: u64::from_le_bytes(*bytes), hand: hand.to_vec() })
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.entries.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes.to_le_bytes());
        bytes.extend_from_slice(&self.hand);
        bytes
    }
}

/// An open store.
pub struct Engine {
    env: Env<WithTls>,
    table: Table,
    settings: Settings,
    clock: Option<Clock>,
    turn: Turn,
    folder: Folder,
}

/// How a `getOrSet` that waits finds its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// Nobody runs: the value is there, or the runner died, or gave nothing.
    Over,
    /// It still runs.
    Running,
    /// It threw: the error as JavaScript wrote it.
    Failed(Vec<u8>),
}

impl Engine {
    /// Opens the store in `path`, and makes it if there is none.
    ///
    /// # Errors
    /// `StoreForeign`, `StoreCorrupt`: what is there stays as it is. `InvalidArgument` when it is open with other
    /// settings. `StoreFull` for a full disk, else the system's answer.
    pub fn open(path: &Path, settings: Settings) -> Result<Self> {
        let folder = Folder::enter(path)?;
        let env = lmdb::open(path, settings.map_size(), settings.durable).map_err(|error| at(path, error))?;
        let result = Self::begin(&env, &folder, settings).map_err(|error| at(path, error))?;
        let (table, found) = result?;
        if found != settings {
            let say = |on: &Settings| {
                let full = if on.evict { "lru" } else { "none" };
                format!("maxSize {}, eviction '{full}', durable {}", on.max_size, on.durable)
            };
            let text = format!("the store is open with {}, not {}", say(&found), say(&settings));
            return Err(Error::InvalidArgument(text));
        }
        folder.share()?;
        let clock = if settings.evict { Some(folder.clock()?) } else { None };
        let turn = folder.turn()?;
        Ok(Self { env, table, settings, clock, turn, folder })
    }

    /// Reads the settings that hold, or writes ours where no other process has the store open.
    fn begin(env: &Env<WithTls>, folder: &Folder, ours: Settings) -> heed::Result<Result<(Table, Settings)>> {
        let transaction = env.write_txn()?;
        let outcome = env.create_databases_and_commit(transaction, |open, transaction| {
            let table = open.create_database::<Bytes, Bytes>(transaction, None)?;
            let found = match table.get(transaction, SETTINGS)? {
                Some(bytes) => Settings::parse(bytes),
                None if table.is_empty(transaction)? => Some(ours),
                None => None,
            };
            let Some(found) = found else {
                let text = "an LMDB file of another program, or of another version of this one";
                return Ok(CommitOrAbort::Abort(Error::StoreForeign(text.into())));
            };
            let settings = if folder.is_alone() { ours } else { found };
            // Also when nothing changes: a commit proves that the file can be written.
            table.put(transaction, SETTINGS, &settings.encode())?;
            if table.get(transaction, COUNTS)?.is_none() {
                table.put(transaction, COUNTS, &Counts::default().encode())?;
            }
            Ok::<_, heed::Error>(CommitOrAbort::Commit((table, Kept(settings))))
        })?;
        Ok(match outcome {
            CommitOrAbort::Commit((table, settings)) => Ok((table, settings)),
            CommitOrAbort::Abort(error) => Err(error),
        })
    }

    /// The settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What lies around the file.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The bits of the evictor, in a store that evicts.
    pub fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// Who writes at this moment.
    pub fn turn(&self) -> &Turn {
        &self.turn
    }

    pub(super) fn env(&self) -> &Env<WithTls> {
        &self.env
    }

    pub(super) fn table(&self) -> Table {
        self.table
    }

    /// Gives `key`'s live entry to `take`; `None` where there is none.
    pub fn get<T>(&self, key: &[u8], take: impl FnOnce(Record<'_>) -> T) -> Result<Option<T>> {
        // On the stack: a read costs no more than some allocations do.
        let mut room = [0; 1 + MAX_KEY];
        let Some(full) = room.get_mut(..=key.len()) else { return Ok(None) };
        full[0] = ENTRY;
        full[1..].copy_from_slice(key);
        let full = &*full;
        self.read(|transaction| {
            let Some(bytes) = self.table.get(transaction, full)? else { return Ok(None) };
            Ok(Record::parse(bytes).filter(|record| record.expires.is_none() || record.is_live(now_ms())).map(
                |record| {
                    if let Some(clock) = &self.clock {
                        clock.touch(full);
                    }
                    take(record)
                },
            ))
        })
    }

    /// Gives the live entries of `keys`, all as of one moment, to `take`, in their order.
    ///
    /// # Errors
    /// What LMDB answers, here and below.
    pub fn get_many<'k>(
        &self,
        keys: impl Iterator<Item = &'k [u8]>,
        mut take: impl FnMut(Option<Record<'_>>),
    ) -> Result<()> {
        let now = now_ms();
        self.read(|transaction| {
            for key in keys {
                let full = key_in(ENTRY, key);
                let record = self.table.get(transaction, &full)?.and_then(Record::parse);
                let record = record.filter(|record| record.is_live(now));
                if let (Some(clock), true) = (&self.clock, record.is_some()) {
                    clock.touch(&full);
                }
                take(record);
            }
            Ok(())
        })
    }

    /// Gives the live entries after `after` (`None`: from the first) that begin with `prefix` to `take`, in the order of
    /// their bytes, until it has had enough and answers false.
    pub fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        mut take: impl FnMut(&[u8], Record<'_>) -> bool,
    ) -> Result<()> {
        let prefix = key_in(ENTRY, prefix);
        let after = after.map(|key| key_in(ENTRY, key));
        let now = now_ms();
        self.read(|transaction| {
            let from = match &after {
                Some(key) => Bound::Excluded(key.as_slice()),
                None => Bound::Included(prefix.as_slice()),
            };
            for entry in self.table.range(transaction, &(from, Bound::Unbounded))? {
                let (key, bytes) = entry?;
                if !key.starts_with(&prefix) {
                    break;
                }
                let Some(record) = Record::parse(bytes).filter(|record| record.is_live(now)) else { continue };
                if !take(&key[1..], record) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The number of live entries.
    pub fn size(&self) -> Result<u64> {
        let end = super::record::expiry_key(now_ms() + 1, b"");
        self.read(|transaction| {
            let counts = self.table.get(transaction, COUNTS)?.and_then(Counts::parse).unwrap_or_default();
            let mut expired = 0;
            for entry in self.table.range(transaction, &(Bound::Included(&[EXPIRY][..]), Bound::Excluded(&end[..])))? {
                expired += u64::from(entry?.0.get(9) == Some(&ENTRY));
            }
            Ok(counts.entries.saturating_sub(expired))
        })
    }

    /// Whether anything is to be swept.
    pub fn has_expired(&self) -> Result<bool> {
        let end = super::record::expiry_key(now_ms() + 1, b"");
        self.read(|transaction| {
            Ok(self
                .table
                .range(transaction, &(Bound::Included(&[EXPIRY][..]), Bound::Excluded(&end[..])))?
                .next()
                .is_some())
        })
    }

    /// How `key` is doing, for one who waits.
    ///
    /// `seen`: the token it saw last, `None` at its first look. Answers the token to ask with next.
    pub fn wait(&self, key: &[u8], seen: Option<Token>) -> Result<(Wait, Option<Token>)> {
        let full = key_in(FLIGHT, key);
        let found = self.read(|transaction| {
            let flight = self.table.get(transaction, &full)?.and_then(Flight::parse);
            Ok(flight.map(|flight| (flight.token, flight.failed.map(|(_, error)| error.to_vec()))))
        })?;
        Ok(match found {
            None => (Wait::Over, seen),
            Some((token, Some(error))) if seen.is_none_or(|seen| seen == token) => (Wait::Failed(error), Some(token)),
            Some((token, None)) if self.folder.is_alive(token.member) => (Wait::Running, Some(token)),
            Some((token, _)) => (Wait::Over, Some(token)),
        })
    }

    fn read<T>(&self, work: impl FnOnce(&RoTxn<'_, WithTls>) -> heed::Result<T>) -> Result<T> {
        let transaction = match self.env.read_txn() {
            // Threads of processes that were killed still hold their places.
            Err(heed::Error::Mdb(MdbError::ReadersFull)) => {
                self.env.clear_stale_readers().map_err(|error| self.failed(error))?;
                self.env.read_txn()
            }
            transaction => transaction,
        };
        transaction.and_then(|transaction| work(&transaction)).map_err(|error| self.failed(error))
    }

    /// Whether `error` says that there is no room.
    pub fn is_full(&self, error: &heed::Error) -> bool {
        is_full(self.env.path(), error)
    }

    /// LMDB's error as one of ours.
    pub fn failed(&self, error: heed::Error) -> Error {
        at(self.env.path(), error)
    }
}

/// What LMDB answers for a write that was cut short, on every system it runs on.
const EIO: i32 = 5;
/// Less room than this, in bytes, is none.
const SCRAPS: u64 = 64 * 1024;

/// Whether `error` says that there is no room at `path`.
fn is_full(path: &Path, error: &heed::Error) -> bool {
    match error {
        // A write that the file system cuts short, since it has got full, is this to LMDB.
        heed::Error::Io(error) if error.raw_os_error() == Some(EIO) => {
            crate::sys::fs::free_bytes(path).is_some_and(|free| free < SCRAPS)
        }
        heed::Error::Mdb(MdbError::MapFull | MdbError::TxnFull) => true,
        heed::Error::Io(error) => {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
            )
        }
        _ => false,
    }
}

fn at(path: &Path, error: heed::Error) -> Error {
    if is_full(path, &error) {
        return Error::StoreFull(format!("{error}, at '{}'", path.display()));
    }
    match error {
        heed::Error::Io(source) => Error::io("open", path, source),
        heed::Error::Mdb(kind) => match kind {
            MdbError::Invalid | MdbError::VersionMismatch | MdbError::Incompatible => {
                Error::StoreForeign(format!("{kind}, at '{}'", path.display()))
            }
            MdbError::Corrupted | MdbError::PageNotFound | MdbError::Panic | MdbError::Problem => {
                Error::StoreCorrupt(format!("{kind}, at '{}'", path.display()))
            }
            kind => Error::StoreUnavailable(format!("{kind}, at '{}'", path.display())),
        },
        other => Error::Internal(format!("LMDB: {other}")),
    }
}

/// Carries the settings through a commit.
struct Kept(Settings);

impl heed::OnCommit for Kept {
    type Committed = Settings;

    fn on_commit(self, _: &heed::CommitToken) -> Settings {
        self.0
    }
}
