//! Asks an HTTP server over loopback, at as little cost to the machine as can be: what clients take is missing to the
//! servers that are compared. One thread, one connection a request (`close`) or many on each (`keep-alive`).
//!
//! ```text
//! cargo run --release --no-default-features --example http-load -- close|keep-alive PORT CONNECTIONS SECONDS
//! cargo run --release --no-default-features --example http-load -- paced PORT RATE SECONDS EVERY
//! ```
//! The first two ask as fast as answers come, and print how many came and the microseconds of CPU time it took to ask.
//! `paced` is an open loop: so many requests a second are due, each on a connection of its own, whatever has become of those
//! before; every EVERYth is for `/block`. It prints for each the microseconds from the moment it was due to the end of its
//! answer, -1 where there was none, and how many of them had passed before it was begun: nobody but the machine keeps this
//! program from asking in time.
//! Every answer must be a whole one with status 200, and after `close` its connection must end.

use rustcluster::sys::epoll::{Epoll, Events, wait};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A request that is not answered by then has failed.
const PATIENCE: Duration = Duration::from_secs(10);
const USAGE: &str = "usage: http-load close|keep-alive PORT CONNECTIONS SECONDS | paced PORT RATE SECONDS EVERY";

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| args.get(index).and_then(|text| text.parse::<u32>().ok()).expect(USAGE);
    let port = u16::try_from(number(1)).expect(USAGE);
    let (count, seconds) = (number(2), Duration::from_secs(number(3).into()));
    match args[0].as_str() {
        kind @ ("close" | "keep-alive") => {
            let answers = flood(port, count, seconds, kind == "keep-alive")?;
            println!("{answers} {}", cpu_time());
        }
        "paced" => pace(port, count, seconds, number(4))?,
        _ => panic!("{USAGE}"),
    }
    Ok(())
}

/// The CPU time of this thread so far in microseconds, 0 where it cannot be told.
fn cpu_time() -> u64 {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    line.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0) / 1000
}

/// A request under way.
struct Exchange {
    socket: TcpStream,
    answer: Vec<u8>,
}

impl Exchange {
    /// Connects and asks. Over loopback a connection is there once it was asked for, so nothing is to be waited for.
    fn begin(port: u16, request: &[u8]) -> io::Result<Self> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.write_all(request)?;
        Ok(Self { socket, answer: Vec::with_capacity(512) })
    }

    /// Reads what has come; whether the connection has ended.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        let length = self.socket.read(&mut buffer)?;
        self.answer.extend_from_slice(&buffer[..length]);
        Ok(length == 0)
    }

    /// Whether the answer is whole.
    ///
    /// # Errors
    /// It is none with status 200 and a known length, or is followed by something.
    fn is_whole(&self) -> io::Result<bool> {
        let Some(end) = self.answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(false) };
        let wrong = || io::Error::other(format!("wrong answer: {}", String::from_utf8_lossy(&self.answer)));
        let head = std::str::from_utf8(&self.answer[..end]).map_err(|_| wrong())?;
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        };
        let length = head.lines().find_map(field).ok_or_else(wrong)?;
        let come = self.answer.len() - end - 4;
        if head.starts_with("HTTP/1.1 200 ") && come <= length { Ok(come == length) } else { Err(wrong()) }
    }
}

fn request(path: &str, keep_alive: bool) -> Vec<u8> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\n\r\n").into_bytes()
}

/// So many clients, each of which asks again once it is answered. Returns how many answers came in time.
fn flood(port: u16, clients: u32, time: Duration, keep_alive: bool) -> io::Result<u64> {
    let (epoll, mut events) = (Epoll::new()?, Events::with_capacity(64));
    let set = epoll.try_clone()?;
    let asked = request("/", keep_alive);
    let begin = |client: usize| {
        let exchange = Exchange::begin(port, &asked)?;
        epoll.add(&exchange.socket, client as u64, true)?;
        io::Result::Ok(exchange)
    };
    let mut exchanges = (0..clients as usize).map(begin).collect::<io::Result<Vec<_>>>()?;
    let (end, mut answers) = (Instant::now() + time, 0);
    while Instant::now() < end {
        wait(set.as_fd(), &mut events, Some(PATIENCE))?;
        if events.tokens().next().is_none() {
            return Err(io::Error::other("no answer"));
        }
        for client in events.tokens().map(|token| token as usize) {
            let exchange = &mut exchanges[client];
            let ended = exchange.read()?;
            if !exchange.is_whole()? {
                if ended {
                    return Err(io::Error::other("the connection has ended before its answer"));
                }
            } else if keep_alive {
                answers += 1;
                exchange.answer.clear();
                exchange.socket.write_all(&asked)?;
            } else if ended {
                answers += 1;
                *exchange = begin(client)?;
            }
        }
    }
    Ok(answers)
}

/// A request of [`pace`], until it is answered.
struct Waiting {
    exchange: Exchange,
    index: usize,
    due: Instant,
}

/// Requests under way, by their descriptors.
type Pending = Mutex<HashMap<u64, Waiting>>;

fn pace(port: u16, rate: u32, time: Duration, every: u32) -> io::Result<()> {
    let (epoll, pending) = (Arc::new(Epoll::new()?), Arc::new(Pending::default()));
    let set = epoll.try_clone()?;
    let (their_epoll, their_pending) = (Arc::clone(&epoll), Arc::clone(&pending));
    let count = rate * time.as_secs() as u32;
    let asking = thread::spawn(move || {
        let begin = Instant::now() + Duration::from_millis(10);
        let mut late = vec![Duration::ZERO; count as usize];
        for i in 0..count {
            let due = begin + Duration::from_secs(1) * i / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            late[i as usize] = due.elapsed();
            let asked = request(if i % every == 0 { "/block" } else { "/" }, false);
            let Ok(exchange) = Exchange::begin(port, &asked) else { continue };
            let number = exchange.socket.as_raw_fd() as u64;
            // Before its answer can be read.
            let mut pending = their_pending.lock().expect("no panic");
            their_epoll.add(&exchange.socket, number, true).expect("a set has room");
            pending.insert(number, Waiting { exchange, index: i as usize, due });
        }
        late
    });
    let mut waits = vec![None; count as usize];
    listen(&set, &pending, &mut waits, || asking.is_finished())?;
    let late = asking.join().expect("no panic");
    for (wait, late) in waits.into_iter().zip(late) {
        println!("{} {}", wait.map_or(-1, |wait: Duration| wait.as_micros() as i64), late.as_micros());
    }
    Ok(())
}

/// Reads the answers; notes by the requests' indexes how long each took.
fn listen(
    set: &OwnedFd,
    pending: &Pending,
    waits: &mut [Option<Duration>],
    is_over: impl Fn() -> bool,
) -> io::Result<()> {
    let mut events = Events::with_capacity(64);
    loop {
        wait(set.as_fd(), &mut events, Some(Duration::from_millis(100)))?;
        let now = Instant::now();
        // All that will be asked is pending by now, or never will be.
        let over = is_over();
        let mut pending = pending.lock().expect("no panic");
        for number in events.tokens() {
            let Some(Waiting { exchange, index, due }) = pending.get_mut(&number) else { continue };
            match exchange.read().and_then(|ended| Ok((ended, exchange.is_whole()?))) {
                Ok((false, false)) => continue,
                Ok((_, true)) => waits[*index] = Some(now.saturating_duration_since(*due)),
                Ok((true, false)) | Err(_) => {}
            }
            pending.remove(&number);
        }
        pending.retain(|_, one| now.saturating_duration_since(one.due) < PATIENCE);
        if over && pending.is_empty() {
            return Ok(());
        }
    }
}
