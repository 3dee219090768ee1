//! What is sent is read: whole, in order, by those it is for.

use super::super::batch::{MISSED, OWN};
use super::super::layout::SMALLEST;
use super::*;

fn number(payload: &[u8]) -> u64 {
    u64::from_ne_bytes(payload.try_into().unwrap())
}

#[test]
fn all_listeners_of_a_channel_read_it_and_nobody_else() {
    let ring = ring();
    let (mut one, news) = listener(&ring, "news");
    let (mut two, _) = listener(&ring, "news");
    let (mut other, _) = listener(&ring, "weather");
    for n in 0..10u8 {
        assert_eq!(send(&mut one, news, &[n; 5]), Outcome::Sent(n.into()));
    }
    assert_eq!(payloads(&drain(&mut two)), (0..10u8).map(|n| vec![n; 5]).collect::<Vec<_>>());
    assert!(drain(&mut other).is_empty());
    assert!(drain(&mut one).is_empty(), "the only object of its environment sent them");
    one.listen(news, 2, 0).unwrap();
    send(&mut one, news, b"again");
    let own = drain(&mut one);
    assert_eq!((own[0].object, own[0].kind, &own[0].payload[..]), (1, 7, &b"again"[..]));
}

#[test]
fn a_newcomer_reads_what_comes_after_it() {
    let ring = ring();
    let (mut one, news) = listener(&ring, "news");
    send(&mut one, news, b"old");
    let (mut late, _) = listener(&ring, "news");
    send(&mut one, news, b"new");
    assert_eq!(payloads(&drain(&mut late)), [b"new"]);
}

#[test]
fn a_forgotten_channel_gives_its_number_to_another() {
    let ring = ring();
    let (mut one, news) = listener(&ring, "news");
    let (mut two, weather) = listener(&ring, "weather");
    one.forget(news);
    assert_eq!(one.channel("news"), news, "who is listened to stays");
    one.listen(news, 0, 0).unwrap();
    one.forget(news);
    one.forget(news);
    assert_eq!((one.channel("weather"), one.channel("news")), (news, news + 1));
    one.listen(news, 1, 1).unwrap();
    send(&mut two, weather, b"rain");
    assert_eq!(payloads(&drain(&mut one)), [b"rain"]);
}

#[test]
fn every_length_arrives_whole() {
    let ring = ring();
    let (mut sender, news) = listener(&ring, "news");
    let (mut reader, _) = listener(&ring, "news");
    for length in (0..200).chain((200..SMALLEST as usize - 1000).step_by(997)) {
        let payload: Vec<u8> = (0..length).map(|n| (n * 7 + length) as u8).collect();
        assert!(matches!(send(&mut sender, news, &payload), Outcome::Sent(_)), "{length}");
        let read = drain(&mut reader);
        assert_eq!(read.len(), 1, "{length}");
        assert!(read[0].payload == payload, "{length}");
        drain(&mut sender);
    }
}

#[test]
fn a_full_ring_loses_nothing_until_it_is_read() {
    let ring = ring();
    let mut sender = Station::new(&ring).unwrap();
    let news = sender.channel("news");
    let (mut reader, _) = listener(&ring, "news");
    let mut sent = Vec::new();
    for round in 0..50u32 {
        loop {
            let payload = [round.to_ne_bytes(), (sent.len() as u32).to_ne_bytes()].concat();
            match send(&mut sender, news, &payload) {
                Outcome::Sent(_) => sent.push(payload),
                other => {
                    assert_eq!(other, Outcome::Full);
                    break;
                }
            }
        }
        let read = payloads(&drain(&mut reader));
        assert!(read == sent);
        sent.clear();
    }
}

#[test]
fn long_messages_are_not_all_taken_at_once() {
    let ring = Arc::new(Ring::create(1 << 23).unwrap());
    let mut sender = Station::new(&ring).unwrap();
    let news = sender.channel("news");
    let (mut reader, _) = listener(&ring, "news");
    let sent: Vec<_> = (0..24).map(|n| vec![n; 1 << 18]).collect();
    for payload in &sent {
        assert!(matches!(send(&mut sender, news, payload), Outcome::Sent(_)));
    }
    let mut got = Vec::new();
    loop {
        let mut buffer = vec![0; 1 << 17];
        let progress = reader.read(&mut Batch::new(&mut buffer));
        let taken: Vec<_> = std::iter::from_fn(|| reader.take_large()).collect();
        assert!(taken.len() <= 4, "a mebibyte, and then JavaScript's turn");
        got.extend(taken);
        if progress == Progress::Done {
            break;
        }
    }
    assert!(got == sent);
}

#[test]
fn a_demoted_reader_is_told_how_many_it_missed() {
    let ring = ring();
    let mut sender = Station::new(&ring).unwrap();
    let [news, quiet, other] = ["news", "quiet", "other"].map(|name| sender.channel(name));
    let (mut reader, their_news) = listener(&ring, "news");
    let their_quiet = reader.channel("quiet");
    reader.listen(their_quiet, 1, 1).unwrap();
    reader.set_max_lag(0);
    send(&mut sender, quiet, b"one");
    send(&mut sender, quiet, b"two");
    let mut sent = 0u64;
    while sent < 5000 {
        assert_eq!(send(&mut sender, news, &sent.to_ne_bytes()), Outcome::Sent(sent));
        send(&mut sender, other, b"nothing to them");
        sent += 1;
    }
    let read = drain(&mut reader);
    let missed: Vec<_> = read.iter().filter(|entry| entry.kind == MISSED).collect();
    assert_eq!(missed.len(), 2);
    assert_eq!((missed[0].channel, missed[1].channel), (their_news, their_quiet));
    let first = number(&missed[0].payload);
    assert!(first > 0 && read[0].kind == MISSED);
    assert_eq!(number(&missed[1].payload), 2);
    let rest: Vec<_> = read.iter().filter(|entry| entry.kind == 7).map(|entry| number(&entry.payload)).collect();
    assert_eq!(rest, (first..5000).collect::<Vec<_>>());
    // It is protected again.
    reader.set_max_lag(u32::MAX);
    assert!((0..).any(|_| send(&mut sender, news, &[0; 64]) == Outcome::Full));
    assert!(drain(&mut reader).iter().all(|entry| entry.kind == 7));
}

#[test]
fn own_messages_are_no_missed_ones() {
    let ring = ring();
    let mut sender = Station::new(&ring).unwrap();
    let news = sender.channel("news");
    let (mut reader, theirs) = listener(&ring, "news");
    reader.listen(theirs, 2, 0).unwrap();
    reader.set_max_lag(0);
    for _ in 0..3 {
        reader.publish((theirs, 2, 7), b"mine", 0, true).unwrap();
    }
    for n in 0..5000u64 {
        send(&mut sender, news, &n.to_ne_bytes());
    }
    let read = drain(&mut reader);
    assert_eq!((read[0].kind, read[0].object, number(&read[0].payload)), (OWN, 2, 3));
    assert_eq!(read[1].kind, MISSED);
    assert_eq!(number(&read[1].payload), 3 + number(&read[2].payload));
}

#[test]
fn a_message_larger_than_the_ring_goes_in_pieces() {
    let ring = ring();
    let mut sender = Station::new(&ring).unwrap();
    let news = sender.channel("news");
    let (mut reader, _) = listener(&ring, "news");
    let (mut between, _) = listener(&ring, "news");
    let payload: Vec<u8> = (0..5 * SMALLEST as usize + 123).map(|n| (n % 251) as u8).collect();
    assert_eq!(sender.publish((news, 1, 7), &payload, 0, true).unwrap(), Outcome::Full);
    let (mut from, mut read) = (0, Vec::new());
    loop {
        match sender.publish((news, 1, 7), &payload, from, false).unwrap() {
            Outcome::Partly(sent) => {
                assert!(sent > from);
                from = sent;
            }
            Outcome::Sent(_) => break,
            Outcome::Full => {
                read.extend(drain(&mut reader));
                drain(&mut between);
                send(&mut between, 0, b"between");
            }
            Outcome::Busy => unreachable!(),
        }
    }
    read.extend(drain(&mut reader));
    let whole: Vec<_> = read.iter().filter(|entry| entry.payload != b"between").collect();
    assert_eq!(whole.len(), 1);
    assert!(whole[0].payload == payload);
    assert!(read.len() > 1);
}

#[test]
fn an_unfinished_message_of_a_dead_sender_is_forgotten() {
    let ring = ring();
    let (mut reader, _) = listener(&ring, "news");
    let theirs = Arc::clone(&ring);
    std::thread::spawn(move || {
        let mut sender = Station::new(&theirs).unwrap();
        let news = sender.channel("news");
        let outcome = sender.publish((news, 1, 7), &vec![1; 3 * SMALLEST as usize], 0, false).unwrap();
        assert!(matches!(outcome, Outcome::Partly(_)));
        std::mem::forget(sender);
    })
    .join()
    .unwrap();
    assert!(drain(&mut reader).is_empty());
    let (mut other, news) = listener(&ring, "news");
    assert!(matches!(other.publish((news, 1, 7), &vec![2; 20_000], 0, false).unwrap(), Outcome::Sent(_)));
    assert_eq!(drain(&mut reader).len(), 1);
}

#[test]
fn a_dead_reader_holds_nothing_up() {
    let ring = ring();
    let theirs = Arc::clone(&ring);
    std::thread::spawn(move || std::mem::forget(listener(&theirs, "news"))).join().unwrap();
    let mut sender = Station::new(&ring).unwrap();
    let news = sender.channel("news");
    for n in 0..5000 {
        assert_eq!(send(&mut sender, news, &[0; 64]), Outcome::Sent(n));
    }
}

#[test]
fn rubbish_in_the_ring_harms_nobody() {
    let ring = ring();
    let mut sender = Station::new(&ring).unwrap();
    let news = sender.channel("news");
    let (mut reader, _) = listener(&ring, "news");
    send(&mut sender, news, b"good");
    for word in 0..6 {
        ring.word(ring.head() - 64 + 8 * word).store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
    }
    let read = drain(&mut reader);
    assert_eq!((read.len(), read[0].kind, number(&read[0].payload)), (1, MISSED, 1));
    send(&mut sender, news, b"good again");
    assert_eq!(payloads(&drain(&mut reader)), [b"good again"]);
}
