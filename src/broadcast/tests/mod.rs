//! Tests of the protocol as a whole.

mod delivery;
mod kills;
mod model;

use super::batch::{Batch, Entry, entries};
use super::layout;
use super::reader::Progress;
use super::ring::Ring;
use super::station::Station;
use super::writer::Outcome;
use std::sync::Arc;

fn ring() -> Arc<Ring> {
    Arc::new(Ring::create(layout::SMALLEST).unwrap())
}

/// A station whose object 1 listens to `name`, and the channel's number.
fn listener(ring: &Arc<Ring>, name: &str) -> (Station, u32) {
    let mut station = Station::new(ring).unwrap();
    let channel = station.channel(name);
    station.listen(channel, 1, 1).unwrap();
    (station, channel)
}

fn send(station: &mut Station, channel: u32, payload: &[u8]) -> Outcome {
    station.publish((channel, 1, 7), payload, 0, true).unwrap()
}

/// All there is to read, with large payloads in place.
fn drain(station: &mut Station) -> Vec<Entry> {
    let mut all = Vec::new();
    loop {
        let mut buffer = vec![0; 1 << 17];
        let mut batch = Batch::new(&mut buffer);
        let progress = station.read(&mut batch);
        let used = batch.finish();
        for mut entry in entries(&buffer[..used]) {
            if entry.kind & super::batch::LARGE != 0 {
                entry.payload = station.take_large().unwrap();
                entry.kind &= !super::batch::LARGE;
            }
            all.push(entry);
        }
        match progress {
            Progress::Done => return all,
            Progress::More => {}
            Progress::Busy => std::thread::yield_now(),
        }
    }
}

fn payloads(entries: &[Entry]) -> Vec<Vec<u8>> {
    entries.iter().map(|entry| entry.payload.clone()).collect()
}
