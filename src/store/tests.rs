//! The store without Node: what is written is read, what is broken is refused, what is full says so.

use super::engine::Settings;
use super::folder::DATA;
use super::op::{Entry, Op, Value};
use super::registry::Handle;
use super::writer::Desk;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

const SETTINGS: Settings = Settings { max_size: 4 << 20, evict: false, durable: false };

/// Hands one operation in and waits for its answer.
#[derive(Default)]
struct Caller {
    answers: Mutex<HashMap<u32, Result<f64>>>,
    changed: Condvar,
}

impl Desk for Caller {
    fn settle(&self, answers: Vec<(u32, Result<f64>)>) {
        self.answers.lock().unwrap().extend(answers);
        self.changed.notify_all();
    }
}

fn call(handle: &Handle, op: Op) -> Result<f64> {
    let caller = Arc::new(Caller::default());
    let desk: Arc<dyn Desk> = Arc::clone(&caller) as _;
    handle.submit(&desk, 1, op)?;
    let answers =
        caller.changed.wait_while(caller.answers.lock().unwrap(), |answers| answers.is_empty()).unwrap().remove(&1);
    answers.unwrap()
}

fn entry(key: &str, payload: &[u8]) -> Entry {
    Entry { key: key.into(), value: Value { tag: 3, payload: payload.to_vec() }, ttl: None }
}

fn set(handle: &Handle, key: &str, payload: &[u8]) -> Result<f64> {
    call(handle, Op::Set(vec![entry(key, payload)]))
}

fn get(handle: &Handle, key: &str) -> Option<Vec<u8>> {
    handle.engine().unwrap().get(key.as_bytes(), |record| record.payload.to_vec()).unwrap()
}

/// A store with small, large and deleted entries, closed again.
fn filled(path: &Path) {
    let handle = Handle::open(path, SETTINGS).unwrap();
    for n in 0..600usize {
        set(&handle, &format!("key {n}"), &vec![n as u8; n * 7 % 9_000]).unwrap();
    }
    for n in (0..600).step_by(3) {
        call(&handle, Op::Delete(vec![format!("key {n}").into_bytes()])).unwrap();
    }
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let handle = Handle::open(folder.path(), SETTINGS).unwrap();
    assert_eq!(handle.engine().unwrap().size().unwrap(), 400);
    assert_eq!(get(&handle, "key 1"), Some(vec![1; 7]));
    assert_eq!(get(&handle, "key 599").map(|value| value.len()), Some(599 * 7));
    assert_eq!(get(&handle, "key 3"), None);
}

#[test]
fn a_folder_is_opened_once_however_often_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, two) =
        (Handle::open(folder.path(), SETTINGS).unwrap(), Handle::open(folder.path(), SETTINGS).unwrap());
    set(&one, "a", b"1").unwrap();
    one.close();
    assert!(matches!(one.engine(), Err(Error::StoreClosed)));
    assert_eq!(get(&two, "a"), Some(b"1".to_vec()));
    let other = Settings { max_size: 5 << 20, ..SETTINGS };
    assert!(matches!(Handle::open(folder.path(), other), Err(Error::InvalidArgument(_))));
    drop(two);
    assert!(Handle::open(folder.path(), other).is_ok(), "nobody has it open any more");
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    for contents in [&b"short"[..], &[7; 100_000]] {
        std::fs::write(folder.path().join(DATA), contents).unwrap();
        assert!(matches!(Handle::open(folder.path(), SETTINGS), Err(Error::StoreForeign(_))));
        assert_eq!(std::fs::read(folder.path().join(DATA)).unwrap(), contents);
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    assert!(matches!(Handle::open(&file, SETTINGS), Err(Error::StoreForeign(_))));
}

#[test]
fn an_lmdb_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    {
        let env = crate::sys::lmdb::open(folder.path(), 1 << 20, false).unwrap();
        env.create_databases_and_commit(env.write_txn().unwrap(), |open, transaction| {
            let table = open.create_database::<heed::types::Bytes, heed::types::Bytes>(transaction, None)?;
            table.put(transaction, b"theirs", b"value")?;
            Ok::<_, heed::Error>(heed::CommitOrAbort::<_, ()>::Commit(table))
        })
        .unwrap();
    }
    assert!(matches!(Handle::open(folder.path(), SETTINGS), Err(Error::StoreForeign(_))));
}

#[test]
fn a_truncated_file_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let whole = std::fs::read(folder.path().join(DATA)).unwrap();
    for length in [4_096, 5_000, 8_192, whole.len() / 2] {
        std::fs::write(folder.path().join(DATA), &whole[..length]).unwrap();
        assert!(matches!(Handle::open(folder.path(), SETTINGS), Err(Error::StoreCorrupt(_))), "{length} bytes");
        assert_eq!(std::fs::read(folder.path().join(DATA)).unwrap(), &whole[..length]);
    }
}

#[test]
fn no_broken_byte_of_a_page_header_does_more_than_refuse() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let whole = std::fs::read(folder.path().join(DATA)).unwrap();
    let mut refused = 0;
    for page in (0..whole.len()).step_by(4_096) {
        for offset in [0, 10, 12, 14, 16, 18] {
            let mut broken = whole.clone();
            broken[page + offset] ^= 0x55;
            std::fs::write(folder.path().join(DATA), &broken).unwrap();
            // What is not refused is free, or the inside of a long value.
            refused += u32::from(super::check::data_file(&folder.path().join(DATA)).is_err());
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_full_store_refuses_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Handle::open(folder.path(), SETTINGS).unwrap();
    let value = vec![1; 10_000];
    let mut count = 0;
    let error = loop {
        match set(&handle, &format!("{count}"), &value) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::StoreFull(_)), "{error}");
    assert!((300..420).contains(&count), "{count}");
    assert!(matches!(set(&handle, "huge", &vec![0; 5 << 20]), Err(Error::StoreFull(_))));
    call(&handle, Op::Delete(vec![b"0".to_vec()])).unwrap();
    set(&handle, "again", &value).unwrap();
}

#[test]
fn a_store_that_evicts_keeps_what_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Handle::open(folder.path(), Settings { evict: true, ..SETTINGS }).unwrap();
    for n in 0..3_000 {
        set(&handle, &format!("cold {n}"), &[2; 3_000]).unwrap();
        if n == 0 {
            set(&handle, "hot", &[1; 100]).unwrap();
        }
        assert!(get(&handle, "hot").is_some(), "after {n}");
    }
    assert!(get(&handle, "cold 0").is_none());
    assert!(get(&handle, "cold 2999").is_some());
}

#[test]
fn a_store_in_which_all_is_used_finds_room_in_one_call() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Handle::open(folder.path(), Settings { evict: true, ..SETTINGS }).unwrap();
    let keys: Vec<String> = (0..1_000).map(|n| format!("{n:04}")).collect();
    for (n, key) in keys.iter().enumerate() {
        set(&handle, key, &[3; 8_000]).unwrap();
        for key in &keys[..=n] {
            get(&handle, key);
        }
    }
    assert!(get(&handle, "0999").is_some());
    assert!(handle.engine().unwrap().size().unwrap() > 480, "no more goes than must");
    // All of it at once, also what was written a moment ago.
    set(&handle, "all", &vec![4; (4 << 20) - 10_000]).unwrap();
    assert_eq!(handle.engine().unwrap().size().unwrap(), 1);
}

#[test]
fn a_batch_in_which_one_does_not_fit_loses_only_that_one() {
    let folder = tempfile::tempdir().unwrap();
    let handle = Handle::open(folder.path(), SETTINGS).unwrap();
    let caller = Arc::new(Caller::default());
    let desk: Arc<dyn Desk> = Arc::clone(&caller) as _;
    for id in 0..50 {
        let size = if id == 25 { 5 << 20 } else { 10 };
        handle.submit(&desk, id, Op::Set(vec![entry(&format!("{id}"), &vec![0; size])])).unwrap();
    }
    let answers = caller.changed.wait_while(caller.answers.lock().unwrap(), |answers| answers.len() < 50).unwrap();
    for (id, answer) in answers.iter() {
        assert_eq!(answer.is_err(), *id == 25, "{id}");
    }
    assert_eq!(handle.engine().unwrap().size().unwrap(), 49);
}
