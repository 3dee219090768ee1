//! Applying writes within one transaction.

use super::engine::{Counts, Engine, Table};
use super::flight::{ERROR_KEPT, Flight, Token};
use super::op::{Claimed, Entry, Op, Outcome, Value};
use super::record::{COUNTS, ENTRY, EXPIRY, FLIGHT, MAX_VALUE, NUMBER, Record, expiry_key, footprint, key_in, now_ms};
use crate::error::Error;
use heed::RwTxn;
use std::collections::HashSet;
use std::ops::Bound;

/// Expired entries that one transaction sweeps; the rest waits for the next.
const SWEEP: usize = 1_000;
/// Keys the evictor looks at in one go.
const LOOK: usize = 64;

/// Why an operation failed.
pub enum Failed {
    /// For a reason of its own: nothing of it was written, and the transaction goes on.
    Itself(Error),
    /// LMDB gave up: the whole transaction is lost.
    All(heed::Error),
    /// It would take long, and the batch is to be brief: nothing was written.
    Later,
}

impl From<heed::Error> for Failed {
    fn from(error: heed::Error) -> Self {
        Self::All(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Itself(error)
    }
}

type Done<T> = std::result::Result<T, Failed>;

/// A transaction under way.
pub struct Batch<'e> {
    engine: &'e Engine,
    table: Table,
    transaction: RwTxn<'e>,
    counts: Counts,
    before: Counts,
    now: u64,
    brief: bool,
}

impl<'e> Batch<'e> {
    /// Begins, once no other process writes.
    pub fn begin(engine: &'e Engine) -> heed::Result<Self> {
        let transaction = engine.env().write_txn()?;
        let table = engine.table();
        let counts = table.get(&transaction, COUNTS)?.and_then(Counts::parse).unwrap_or_default();
        Ok(Self { engine, table, transaction, before: counts.clone(), counts, now: now_ms(), brief: false })
    }

    /// From now on nothing is swept or evicted: who asks for that is told to come later.
    pub fn be_brief(&mut self) {
        self.brief = true;
    }

    /// Writes all that was applied.
    pub fn commit(mut self) -> heed::Result<()> {
        if self.counts != self.before {
            self.table.put(&mut self.transaction, COUNTS, &self.counts.encode())?;
        }
        self.transaction.commit()
    }

    /// Applies one operation; the number is its answer.
    pub fn apply(&mut self, op: &Op) -> Done<f64> {
        match op {
            Op::Set(entries) => self.set(entries).map(|()| 0.0),
            Op::Delete(keys) => {
                let mut count = 0.0;
                for key in keys {
                    count += f64::from(u8::from(self.delete(key)?));
                }
                Ok(count)
            }
            Op::Incr { key, by, ttl } => self.incr(key, *by, *ttl),
            Op::Cas { key, expected, next, ttl } => self.cas(key, expected.as_ref(), next.as_ref(), *ttl).map(answer),
            Op::Touch { key, ttl } => self.touch(key, *ttl).map(answer),
            Op::Clear { prefix } => self.clear(prefix).map(|count| count as f64),
            Op::Claim { key, token } => self.claim(key, *token).map(|claimed| claimed as u8 as f64),
            Op::Settle { key, token, outcome } => self.settle(key, *token, outcome).map(answer),
        }
    }

    fn set(&mut self, entries: &[Entry]) -> Done<()> {
        // All or nothing, so the room is found before the first is written.
        let mut need = 0;
        let mut freed = 0;
        let mut seen = HashSet::new();
        for Entry { key, value, ttl } in entries {
            need += size_of_entry(key, value, ttl.is_some())?;
            // What is written over gives its room back, once.
            if seen.insert(key) {
                freed += self.taken_by(&key_in(ENTRY, key))?;
            }
        }
        self.make_room(need.saturating_sub(freed), need)?;
        for Entry { key, value, ttl } in entries {
            self.put(key, value, ttl.map(|ttl| self.now.saturating_add(ttl)))?;
        }
        Ok(())
    }

    fn incr(&mut self, key: &[u8], by: f64, ttl: Option<u64>) -> Done<f64> {
        let full = key_in(ENTRY, key);
        let found = match self.live(&full)? {
            None => None,
            Some(record) => match record.number() {
                Some(number) => Some((number, record.expires)),
                None => return Err(Error::StoreNotNumber(text(key)).into()),
            },
        };
        let (number, expires) = found.unwrap_or((0.0, ttl.map(|ttl| self.now.saturating_add(ttl))));
        let sum = number + by;
        let value = Value { tag: NUMBER, payload: sum.to_le_bytes().to_vec() };
        if found.is_none() {
            let need = size_of_entry(key, &value, expires.is_some())?;
            self.make_room(need, need)?;
            self.put(key, &value, expires)?;
        } else {
            // The same size and expiry: neither the counts nor the index change.
            let record = Record { tag: NUMBER, expires, payload: &value.payload };
            self.table.put(&mut self.transaction, &full, &record.encode())?;
            if let Some(clock) = self.engine.clock() {
                clock.touch(&full);
            }
        }
        Ok(sum)
    }

    fn cas(&mut self, key: &[u8], expected: Option<&Value>, next: Option<&Value>, ttl: Option<u64>) -> Done<bool> {
        let matches = match (self.live(&key_in(ENTRY, key))?, expected) {
            (None, None) => true,
            (Some(found), Some(value)) => found.tag == value.tag && found.payload == value.payload,
            _ => false,
        };
        if !matches {
            return Ok(false);
        }
        match next {
            Some(value) => self.set(&[Entry { key: key.to_vec(), value: value.clone(), ttl }])?,
            None => {
                self.delete(key)?;
            }
        }
        Ok(true)
    }

    fn touch(&mut self, key: &[u8], ttl: Option<u64>) -> Done<bool> {
        let Some(record) = self.live(&key_in(ENTRY, key))? else { return Ok(false) };
        let value = Value { tag: record.tag, payload: record.payload.to_vec() };
        self.put(key, &value, ttl.map(|ttl| self.now.saturating_add(ttl)))?;
        Ok(true)
    }

    fn clear(&mut self, prefix: &[u8]) -> Done<u64> {
        let from = key_in(ENTRY, prefix);
        let mut count = 0;
        loop {
            let mut keys = Vec::new();
            for entry in self.table.range(&self.transaction, &(Bound::Included(from.as_slice()), Bound::Unbounded))? {
                let (key, _) = entry?;
                if !key.starts_with(&from) || keys.len() == SWEEP {
                    break;
                }
                keys.push(key.to_vec());
            }
            if keys.is_empty() {
                return Ok(count);
            }
            for key in &keys {
                count += u64::from(self.remove(key)?);
            }
        }
    }

    fn claim(&mut self, key: &[u8], token: Token) -> Done<Claimed> {
        if self.live(&key_in(ENTRY, key))?.is_some() {
            return Ok(Claimed::Present);
        }
        let full = key_in(FLIGHT, key);
        if let Some(found) = self.table.get(&self.transaction, &full)?.and_then(Flight::parse) {
            let lives = found.token.member == token.member || self.engine.folder().is_alive(found.token.member);
            if found.failed.is_none() && lives {
                return Ok(Claimed::Wait);
            }
        }
        self.table.put(&mut self.transaction, &full, &Flight { token, failed: None }.encode())?;
        Ok(Claimed::Run)
    }

    fn settle(&mut self, key: &[u8], token: Token, outcome: &Outcome) -> Done<bool> {
        let full = key_in(FLIGHT, key);
        let found = self.table.get(&self.transaction, &full)?.and_then(Flight::parse);
        if found.is_none_or(|flight| flight.token != token) {
            return Ok(false);
        }
        match outcome {
            Outcome::Failed(error) => {
                let until = self.now + ERROR_KEPT;
                self.table.put(
                    &mut self.transaction,
                    &full,
                    &Flight { token, failed: Some((until, error)) }.encode(),
                )?;
                self.table.put(&mut self.transaction, &expiry_key(until, &full), b"")?;
            }
            Outcome::Nothing => {
                self.table.delete(&mut self.transaction, &full)?;
            }
            Outcome::Value(value, ttl) => {
                self.table.delete(&mut self.transaction, &full)?;
                // Where there is no room the run has still ended: the others must not wait for it.
                self.set(&[Entry { key: key.to_vec(), value: value.clone(), ttl: *ttl }])?;
            }
        }
        Ok(true)
    }

    /// Deletes what has expired, [`SWEEP`] entries at most; says how many.
    pub fn sweep(&mut self) -> heed::Result<usize> {
        self.now = now_ms();
        let end = expiry_key(self.now + 1, b"");
        let mut due = Vec::new();
        for entry in self
            .table
            .range(&self.transaction, &(Bound::Included(&[EXPIRY][..]), Bound::Excluded(&end[..])))?
            .take(SWEEP)
        {
            due.push(entry?.0.to_vec());
        }
        for index in &due {
            self.table.delete(&mut self.transaction, index)?;
            let Some(full) = index.get(9..) else { continue };
            let expired = match self.table.get(&self.transaction, full)? {
                Some(bytes) if full.first() == Some(&ENTRY) => {
                    Record::parse(bytes).is_some_and(|record| !record.is_live(self.now))
                }
                Some(bytes) => {
                    Flight::parse(bytes).is_some_and(|flight| flight.failed.is_some_and(|(until, _)| until <= self.now))
                }
                None => false,
            };
            if expired {
                self.remove(full)?;
            }
        }
        Ok(due.len())
    }

    fn delete(&mut self, key: &[u8]) -> heed::Result<bool> {
        let full = key_in(ENTRY, key);
        let lived = self.live(&full)?.is_some();
        self.remove(&full)?;
        Ok(lived)
    }

    /// Writes an entry for which there is room.
    fn put(&mut self, key: &[u8], value: &Value, expires: Option<u64>) -> heed::Result<()> {
        let full = key_in(ENTRY, key);
        let known = self.remove(&full)?;
        let bytes = Record { tag: value.tag, expires, payload: &value.payload }.encode();
        self.table.put(&mut self.transaction, &full, &bytes)?;
        if let Some(expires) = expires {
            self.table.put(&mut self.transaction, &expiry_key(expires, &full), b"")?;
        }
        self.counts.entries += 1;
        self.counts.bytes += footprint(full.len(), bytes.len(), expires.is_some());
        if let Some(clock) = self.engine.clock() {
            clock.write(&full, known);
        }
        Ok(())
    }

    /// Deletes a key with its space, and its line in the index; says whether it was there.
    fn remove(&mut self, full: &[u8]) -> heed::Result<bool> {
        let Some(bytes) = self.table.get(&self.transaction, full)? else { return Ok(false) };
        if full.first() == Some(&ENTRY) {
            let expires = Record::parse(bytes).and_then(|record| record.expires);
            let size = footprint(full.len(), bytes.len(), expires.is_some());
            self.counts.entries = self.counts.entries.saturating_sub(1);
            self.counts.bytes = self.counts.bytes.saturating_sub(size);
            if let Some(expires) = expires {
                self.table.delete(&mut self.transaction, &expiry_key(expires, full))?;
            }
        }
        self.table.delete(&mut self.transaction, full)
    }

    fn live(&self, full: &[u8]) -> heed::Result<Option<Record<'_>>> {
        let bytes = self.table.get(&self.transaction, full)?;
        Ok(bytes.and_then(Record::parse).filter(|record| record.is_live(self.now)))
    }

    /// 0 for what has expired: the sweep may have taken it out by the time its room is wanted.
    fn taken_by(&self, full: &[u8]) -> heed::Result<u64> {
        let bytes = self.table.get(&self.transaction, full)?;
        Ok(bytes.map_or(0, |bytes| match Record::parse(bytes) {
            Some(record) if !record.is_live(self.now) => 0,
            record => footprint(full.len(), bytes.len(), record.is_some_and(|record| record.expires.is_some())),
        }))
    }

    /// Sees to it that `growth` more bytes fit; `need` is what the new entries take.
    fn make_room(&mut self, growth: u64, need: u64) -> Done<()> {
        let settings = self.engine.settings();
        let limit = settings.max_size;
        if need > limit {
            return Err(Error::StoreFull(format!("{need} bytes do not fit maxSize, {limit} bytes")).into());
        }
        if self.counts.bytes + growth <= limit {
            return Ok(());
        }
        if self.brief {
            return Err(Failed::Later);
        }
        // What has expired goes first, also where nothing may be evicted.
        while self.counts.bytes + growth > limit && self.sweep()? > 0 {}
        if self.counts.bytes + growth <= limit {
            return Ok(());
        }
        if !settings.evict {
            let taken = self.counts.bytes;
            return Err(Error::StoreFull(format!("{taken} of {limit} bytes are taken, {growth} more wanted")).into());
        }
        // A little more than asked for, so that not every write has to evict.
        let target = limit - need - (limit - need) / 64;
        Ok(self.evict(target, limit - need)?)
    }

    /// Evicts until the entries take no more than `target` bytes, or `enough` once the hand has come to the end of the
    /// keys: where it goes round and round nobody has had the time to use anything since it last came by. It takes what
    /// has no chance left ([`Clock::pass`](super::clock::Clock::pass)), and after three full rounds anything.
    pub fn evict(&mut self, target: u64, enough: u64) -> heed::Result<()> {
        let (first, end) = ([ENTRY], [ENTRY + 1]);
        let (mut target, mut rounds) = (target, 0);
        while self.counts.bytes > target && self.counts.entries > 0 {
            let hand = std::mem::take(&mut self.counts.hand);
            let from = if hand.is_empty() { Bound::Included(&first[..]) } else { Bound::Excluded(hand.as_slice()) };
            let mut seen = Vec::with_capacity(LOOK);
            for entry in self.table.range(&self.transaction, &(from, Bound::Excluded(&end[..])))?.take(LOOK) {
                seen.push(entry?.0.to_vec());
            }
            let Some(last) = seen.last() else {
                rounds += 1;
                target = enough;
                if hand.is_empty() && self.counts.bytes > target {
                    // Nothing there, whatever the counts say: mend them.
                    self.counts = Counts::default();
                }
                continue;
            };
            self.counts.hand = last.clone();
            for full in &seen {
                if self.counts.bytes <= target {
                    self.counts.hand = full.clone();
                    break;
                }
                let passed = self.engine.clock().is_some_and(|clock| clock.pass(full));
                if !passed || rounds > 3 {
                    self.remove(full)?;
                }
            }
        }
        Ok(())
    }

    /// Bytes the entries take.
    pub fn taken(&self) -> u64 {
        self.counts.bytes
    }
}

fn size_of_entry(key: &[u8], value: &Value, expires: bool) -> Done<u64> {
    if value.payload.len() > MAX_VALUE {
        let length = value.payload.len();
        return Err(Error::StoreFull(format!("a value of {length} bytes is larger than {MAX_VALUE}")).into());
    }
    let record = value.payload.len() + if expires { 9 } else { 1 };
    Ok(footprint(key.len() + 1, record, expires))
}

fn answer(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

fn text(key: &[u8]) -> String {
    format!("'{}'", String::from_utf8_lossy(key))
}
