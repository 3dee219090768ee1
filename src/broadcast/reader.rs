//! Reading: what lies between a reader's position and the head, filtered by channel.
//!
//! A reader's tail protects what it has not read. Once it is demoted nothing does: it copies first and then looks whether
//! the floor has passed what it copied ([`torn`]). To be protected again it takes the lock, under which the floor stands
//! still.

use super::batch::{Batch, LARGE, MISSED, OWN};
use super::channels;
use super::record::Record;
use super::ring::Ring;
use super::room;
use super::seat;
use super::station::{Channel, LARGEST_MESSAGE, PATIENCE, Station};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{Ordering, fence};

/// Records looked at in one go, also when none concerns us.
const MOST_RECORDS: usize = 4096;
/// Payloads above this do not go through the batch's buffer.
const INLINE: usize = 64 * 1024;
/// A batch with so many bytes beside its buffer takes no more: what is left is as safe in the ring.
const MOST_BESIDE: usize = 1 << 20;

/// Where an environment has read to.
#[derive(Debug)]
pub struct Reader {
    position: u64,
    /// It has lost records; until the head of that moment is reached, channels may have a gap.
    catching_up: Option<u64>,
    /// It has ever lost records: a message whose beginning is missing is then a missed one.
    has_lost: bool,
    /// Messages of which pieces are still to come, by the sender's environment.
    parts: HashMap<u32, Vec<u8>>,
}

/// What a read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is left.
    Done,
    /// The batch is full, or enough has been looked at.
    More,
    /// The lock is needed and could not be had: try again soon.
    Busy,
}

enum Step {
    Read(u64),
    NoRoom,
    Lost,
}

impl Reader {
    pub(super) fn new(position: u64) -> Self {
        Self { position, catching_up: None, has_lost: false, parts: HashMap::new() }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }
}

/// Whether what was copied from `position` may have been overwritten meanwhile. The other half of the rule is
/// [`room::make`]: floor, fence, then overwrite.
fn torn(ring: &Ring, position: u64) -> bool {
    fence(Ordering::Acquire);
    ring.floor() > position
}

impl Station {
    /// Reads on.
    pub fn read(&mut self, batch: &mut Batch<'_>) -> Progress {
        let Some(mut reader) = self.reader.take() else { return Progress::Done };
        let from = reader.position;
        let progress = self.read_on(&mut reader, batch);
        self.seat.advance(reader.position);
        if reader.position != from {
            room::moved(&self.ring, from, reader.position);
        }
        self.reader = Some(reader);
        progress
    }

    fn read_on(&mut self, reader: &mut Reader, batch: &mut Batch<'_>) -> Progress {
        if self.seat.is_demoted() && !self.rejoin(reader, false) {
            return Progress::Busy;
        }
        let head = self.ring.head();
        for _ in 0..MOST_RECORDS {
            if !self.close_gaps(reader, batch) {
                return Progress::More;
            }
            if reader.position >= head {
                break;
            }
            match self.step(reader, head, batch) {
                Step::Read(bytes) => reader.position += bytes,
                Step::NoRoom => return Progress::More,
                Step::Lost => {
                    let broken = !torn(&self.ring, reader.position);
                    return if self.rejoin(reader, broken) { Progress::More } else { Progress::Busy };
                }
            }
        }
        if reader.position < self.ring.head() { Progress::More } else { Progress::Done }
    }

    /// Is protected again, from the oldest record there is. `broken`: what lies at our position is no record, so that
    /// only what comes next can be trusted.
    fn rejoin(&mut self, reader: &mut Reader, broken: bool) -> bool {
        let Some(guard) = self.ring.lock(PATIENCE) else { return false };
        let (floor, head) = (self.ring.floor(), self.ring.head());
        if broken || reader.position < floor || reader.position > head {
            reader.position = if broken { head } else { floor.min(head) };
            reader.catching_up = Some(head);
            reader.has_lost = true;
            reader.parts.clear();
            for channel in self.channels.iter_mut().filter(|channel| channel.listens) {
                channel.gap = Some(channels::count(&guard, &self.ring, channel.key.hash));
            }
        }
        self.seat.promote(&guard, reader.position);
        true
    }

    /// Once the reader is where the head was when it found records missing, channels of which nothing came tell theirs.
    fn close_gaps(&mut self, reader: &mut Reader, batch: &mut Batch<'_>) -> bool {
        if reader.catching_up.is_none_or(|head| reader.position < head) {
            return true;
        }
        for (index, channel) in self.channels.iter_mut().enumerate() {
            if let Some(next) = channel.gap
                && !channel.resume_at(index as u32, next, batch)
            {
                return false;
            }
        }
        reader.catching_up = None;
        true
    }

    fn step(&mut self, reader: &mut Reader, head: u64, batch: &mut Batch<'_>) -> Step {
        let at = reader.position;
        let Some(record) = Record::read(&self.ring, at, head - at) else { return Step::Lost };
        if torn(&self.ring, at) {
            return Step::Lost;
        }
        let Some(index) = self.addressee(&record, at) else { return Step::Read(record.bytes) };
        let whole = record.first && record.last;
        if whole && record.payload <= INLINE && !batch.has_room(3 * 8 + record.payload + 64) {
            return Step::NoRoom;
        }
        if !whole {
            return self.piece(reader, &record, index, batch);
        }
        let channel = &mut self.channels[index];
        if !channel.resume_at(index as u32, record.number, batch) {
            return Step::NoRoom;
        }
        // Told once, whatever becomes of the message itself.
        channel.expected = record.number;
        let mark = batch.mark();
        let object = if record.env == self.seat.env() { record.object } else { 0 };
        if self.is_own_alone(&record, index) {
            // Nobody here wants it.
        } else if record.payload <= INLINE {
            let place = batch.push(index as u32, record.kind.into(), object, record.payload);
            if place.len() < record.payload {
                return Step::NoRoom;
            }
            self.ring.read(record.payload_at(at), place);
        } else {
            if !batch.has_room(0) || self.has_much_beside() {
                return Step::NoRoom;
            }
            let mut payload = vec![0; record.payload];
            self.ring.read(record.payload_at(at), &mut payload);
            batch.push(index as u32, u32::from(record.kind) | LARGE, object, record.payload);
            self.large.push_back(payload);
        }
        if torn(&self.ring, at) {
            if record.payload > INLINE && !batch.is_at(&mark) {
                self.large.pop_back();
            }
            batch.back_to(mark);
            return Step::Lost;
        }
        self.channels[index].expected = record.number + 1;
        Step::Read(record.bytes)
    }

    /// A message that comes in several records.
    fn piece(&mut self, reader: &mut Reader, record: &Record, index: usize, batch: &mut Batch<'_>) -> Step {
        let at = reader.position;
        // Before anything is changed: a gap may have to be told, of own messages object by object.
        if record.last && (!batch.has_room(INLINE) || self.has_much_beside()) {
            return Step::NoRoom;
        }
        let fits = |part: &Vec<u8>| part.len() as u64 + record.payload as u64 <= record.total;
        let mut part = match (record.first, reader.parts.remove(&record.env)) {
            (true, _) => Some(Vec::new()),
            (false, part) => part.filter(fits),
        };
        if record.total > LARGEST_MESSAGE as u64 {
            part = None;
        }
        if let Some(part) = &mut part {
            if part.is_empty() {
                // What has come is believed, what is announced is not, beyond a few pieces.
                part.reserve((record.total as usize).min(4 * self.ring.size() as usize));
            }
            let start = part.len();
            part.resize(start + record.payload, 0);
            self.ring.read(record.payload_at(at), &mut part[start..]);
        }
        if torn(&self.ring, at) {
            return Step::Lost;
        }
        if !record.last {
            if let Some(part) = part {
                self.forget_dead(reader);
                reader.parts.insert(record.env, part);
            }
            return Step::Read(record.bytes);
        }
        let payload = part.filter(|part| part.len() as u64 == record.total);
        let channel = &mut self.channels[index];
        // One whose beginning we have lost counts with those before it.
        let next = record.number + u64::from(payload.is_none() && reader.has_lost);
        if next > record.number {
            channel.gap = Some(next);
        }
        channel.resume_at(index as u32, next, batch);
        channel.expected = record.number + 1;
        if let Some(payload) = payload
            && !self.is_own_alone(record, index)
        {
            let object = if record.env == self.seat.env() { record.object } else { 0 };
            batch.push(index as u32, u32::from(record.kind) | LARGE, object, payload.len());
            self.large.push_back(payload);
        }
        Step::Read(record.bytes)
    }

    /// Pieces whose sender died before the last one.
    fn forget_dead(&self, reader: &mut Reader) {
        if !reader.parts.is_empty() {
            reader.parts.retain(|&env, _| seat::lives(&self.ring, env));
        }
    }

    /// Which of our channels a record is for. Compares the name only when the hash fits.
    fn addressee(&self, record: &Record, at: u64) -> Option<usize> {
        let candidates = self.by_hash.get(&record.hash)?;
        let mut name = [0; 256];
        let name = name.get_mut(..record.name)?;
        self.ring.read(record.name_at(at), name);
        let wants = |index: &usize| {
            let channel = &self.channels[*index];
            channel.listens && *channel.key.name == *name && at >= channel.since
        };
        candidates.iter().copied().find(wants)
    }

    /// Whether payloads that go beside the batch's buffer are [enough](MOST_BESIDE) for now.
    fn has_much_beside(&self) -> bool {
        self.large.iter().map(Vec::len).sum::<usize>() >= MOST_BESIDE
    }

    fn is_own_alone(&self, record: &Record, index: usize) -> bool {
        record.env == self.seat.env() && record.object == self.channels[index].sole
    }
}

impl Channel {
    /// The channel goes on with message `next`: tells what is missing before it. False: the batch has no room for that.
    fn resume_at(&mut self, index: u32, next: u64, batch: &mut Batch<'_>) -> bool {
        let own_before = self.own.iter().take_while(|(number, _)| *number < next).count();
        if self.gap.is_some() && next > self.expected {
            let mut per_object = BTreeMap::<u32, u64>::new();
            for &(_, object) in self.own.iter().take(own_before).filter(|(number, _)| *number >= self.expected) {
                *per_object.entry(object).or_default() += 1;
            }
            let mark = batch.mark();
            let missed = next - self.expected;
            let told = per_object.into_iter().map(|(object, count)| (OWN, object, count)).chain([(MISSED, 0, missed)]);
            for (kind, object, count) in told {
                let place = batch.push(index, kind, object, 8);
                if place.is_empty() {
                    batch.back_to(mark);
                    return false;
                }
                place.copy_from_slice(&count.to_ne_bytes());
            }
        }
        self.own.drain(..own_before);
        if self.gap.is_some() {
            self.expected = self.expected.max(next);
        }
        self.gap = None;
        true
    }
}
