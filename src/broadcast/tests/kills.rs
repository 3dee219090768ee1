//! Senders that are killed: at random instants, and after every single instruction of a publish.
//!
//! `RUSTCLUSTER_KILLS` says how many are killed; `all` kills one after each instruction there is, which takes minutes in a
//! build that is not optimised.

use super::super::batch::MISSED;
use super::*;
use crate::sys::children::{Child, Stop, allow_tracing, stop_here};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// `None`: all there are.
fn wanted(usual: usize) -> Option<usize> {
    match std::env::var("RUSTCLUSTER_KILLS") {
        Ok(text) if text == "all" => None,
        Ok(text) => Some(text.parse().expect("RUSTCLUSTER_KILLS is a number or 'all'")),
        Err(_) => Some(usual),
    }
}

/// A message that shows what has been done to it: who sent it, its number, and a length that follows from both. Now and
/// then it is long enough to be stored another way.
fn message(sender: u32, number: u32) -> Vec<u8> {
    let length = (number * 37 + sender * 11) as usize % 300 + if number % 32 == 31 { 8192 } else { 0 };
    let mut bytes = [sender.to_ne_bytes(), number.to_ne_bytes()].concat();
    bytes.extend((0..length).map(|n| (n as u32 * 7 + number) as u8));
    bytes
}

/// Reads all there is and asserts that it is whole and that each sender's are in order without a gap.
fn check(reader: &mut Station, next: &mut HashMap<u32, u32>) {
    for entry in drain(reader) {
        assert_ne!(entry.kind, MISSED, "nothing is lost");
        let word = |at: usize| u32::from_ne_bytes(entry.payload[at..at + 4].try_into().unwrap());
        let (sender, number) = (word(0), word(4));
        assert_eq!(entry.payload, message(sender, number), "torn");
        let expected = next.entry(sender).or_default();
        assert_eq!(number, *expected, "of sender {sender}");
        *expected += 1;
    }
}

fn send_patiently(station: &mut Station, channel: u32, bytes: &[u8]) {
    loop {
        match send(station, channel, bytes) {
            Outcome::Sent(_) => return,
            _ => std::thread::yield_now(),
        }
    }
}

/// Not cryptography: instants to kill at, other ones every time.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

#[test]
fn senders_killed_at_random_instants_harm_nobody() {
    let ring = ring();
    let (mut survivor, news) = listener(&ring, "news");
    let (mut reader, _) = listener(&ring, "news");
    let mut next = HashMap::new();
    let mut sent = 0;
    let spawn = |id: u32| {
        let ring = Arc::clone(&ring);
        Child::run(move || {
            let mut station = Station::new(&ring).unwrap();
            let news = station.channel("news");
            for number in 0.. {
                send_patiently(&mut station, news, &message(id, number));
            }
        })
    };
    let mut children: Vec<_> = (1..=3).map(spawn).collect();
    let kills = wanted(60).unwrap_or(1000) as u32;
    for kill in 0..kills {
        let until = Instant::now() + Duration::from_micros(random() % 3000);
        while Instant::now() < until {
            if let Outcome::Sent(_) = send(&mut survivor, news, &message(0, sent)) {
                sent += 1;
            }
            check(&mut reader, &mut next);
            drain(&mut survivor);
        }
        children.remove(random() as usize % children.len()).kill();
        children.push(spawn(4 + kill));
    }
    drop(children);
    check(&mut reader, &mut next);
    drain(&mut survivor);
    send_patiently(&mut survivor, news, &message(0, sent));
    check(&mut reader, &mut next);
    assert_eq!(next[&0], sent + 1, "all that the survivor sent");
}

/// Forks a sender that has sent one message and is about to send a second.
fn about_to_send(ring: &Arc<Ring>, sender: u32) -> Option<Child> {
    let ring = Arc::clone(ring);
    let child = Child::run(move || {
        if !allow_tracing() {
            return;
        }
        let mut station = Station::new(&ring).unwrap();
        let news = station.channel("news");
        send_patiently(&mut station, news, &message(sender, 0));
        stop_here();
        send(&mut station, news, &message(sender, 1));
        // As in the midst of many messages, and at the end of a turn.
        ring.call();
        station.end_turn();
        stop_here();
    });
    (child.wait() == Stop::Here).then_some(child)
}

/// How many instructions a publish takes; `None` where tracing is not permitted.
fn instructions(ring: &Arc<Ring>) -> Option<usize> {
    let child = about_to_send(ring, 1)?;
    Some((0..).take_while(|_| child.step() == Stop::Stepped).count())
}

#[test]
fn a_sender_killed_after_any_instruction_leaves_the_ring_whole() {
    let ring = ring();
    let (mut reader, _) = listener(&ring, "news");
    let mut survivor = Station::new(&ring).unwrap();
    let news = survivor.channel("news");
    let Some(total) = instructions(&ring) else {
        eprintln!("skipped: this system does not permit ptrace");
        return;
    };
    drain(&mut reader);
    let kills = wanted(60).unwrap_or(total).min(total);
    let mut next = HashMap::new();
    let mut arrived = 0;
    for kill in 0..kills {
        let sender = 2 + kill as u32;
        let child = about_to_send(&ring, sender).unwrap();
        check(&mut reader, &mut next);
        assert!(!reader.rest(), "asleep, so that the sender wakes it");
        // Over the whole of it, other instructions every time.
        let steps = (kill * total + random() as usize % total) / kills;
        for _ in 0..steps {
            if child.step() != Stop::Stepped {
                break;
            }
        }
        child.kill();
        let before = Instant::now();
        send_patiently(&mut survivor, news, &message(0, kill as u32));
        survivor.end_turn();
        let count = |word| ring.u64(word).load(Ordering::SeqCst);
        assert_eq!(count(layout::WOKEN), count(layout::ARMS), "who slept has been woken");
        assert!(before.elapsed() < Duration::from_secs(5), "the dead sender's lock is inherited");
        check(&mut reader, &mut next);
        assert_eq!(next[&0], kill as u32 + 1, "the survivor's message is there");
        arrived += usize::from(next[&sender] == 2);
        assert!(next[&sender] >= 1);
    }
    assert!(arrived < kills || kills < 10, "some were killed before their commit");
    println!("{kills} kills over {total} instructions, {arrived} after the commit");
}
