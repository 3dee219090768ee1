//! Asks an HTTP server over loopback, at as little cost to the machine as can be: what clients take is missing to the
//! servers that are compared. One thread, one connection a request (`close`) or many on each (`keep-alive`).
//!
//! ```text
//! cargo run --release --no-default-features --example http-load -- close|keep-alive PORT CONNECTIONS SECONDS
//! cargo run --release --no-default-features --example http-load -- paced PORT RATE SECONDS EVERY
//! ```
//! The first two ask as fast as answers come, and print how many came and the microseconds of CPU time it took to ask. `paced` is an open loop: so many requests a second
//! are due, each on a connection of its own, whatever has become of those before; every EVERYth is for `/block`. It prints
//! how many failed, and for each of the others the microseconds from the moment it was due to the end of its answer.
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
    due: Instant,
    blocks: bool,
}

fn pace(port: u16, rate: u32, time: Duration, every: u32) -> io::Result<()> {
    let epoll = Arc::new(Epoll::new()?);
    let waiting: Arc<Mutex<HashMap<u64, Waiting>>> = Arc::default();
    let set = epoll.try_clone()?;
    let (their_epoll, their_waiting) = (Arc::clone(&epoll), Arc::clone(&waiting));
    let count = rate * time.as_secs() as u32;
    let asking = thread::spawn(move || {
        let begin = Instant::now() + Duration::from_millis(10);
        let mut failed = 0;
        for i in 0..count {
            let due = begin + Duration::from_secs(1) * i / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let blocks = i % every == 0;
            let asked = request(if blocks { "/block" } else { "/" }, false);
            match Exchange::begin(port, &asked) {
                Ok(exchange) => {
                    let number = exchange.socket.as_raw_fd() as u64;
                    let mut waiting = their_waiting.lock().expect("no panic");
                    let added = their_epoll.add(&exchange.socket, number, true);
                    added.expect("a set has room");
                    waiting.insert(number, Waiting { exchange, due, blocks });
                }
                Err(_) => failed += 1,
            }
        }
        failed
    });
    let waits = listen(&set, &waiting, count, || asking.is_finished())?;
    let failed = asking.join().expect("no panic") + waits.iter().filter(|wait| wait.is_none()).count();
    println!("{failed}");
    waits.into_iter().flatten().for_each(|wait| println!("{}", wait.as_micros()));
    Ok(())
}

/// Reads the answers, but to those that block: how long each took, `None` for one that failed.
fn listen(
    set: &OwnedFd,
    waiting: &Mutex<HashMap<u64, Waiting>>,
    count: u32,
    is_over: impl Fn() -> bool,
) -> io::Result<Vec<Option<Duration>>> {
    let (mut events, mut waits) = (Events::with_capacity(64), Vec::with_capacity(count as usize));
    loop {
        wait(set.as_fd(), &mut events, Some(Duration::from_millis(100)))?;
        let now = Instant::now();
        let mut waiting = waiting.lock().expect("no panic");
        for number in events.tokens() {
            let Some(Waiting { exchange, due, blocks }) = waiting.get_mut(&number) else { continue };
            let answered = match exchange.read() {
                Ok(ended) => exchange.is_whole().map(|whole| if whole { Some(true) } else { ended.then_some(false) }),
                Err(error) => Err(error),
            };
            let result = match answered {
                Ok(None) => continue,
                Ok(Some(true)) => Some(now.saturating_duration_since(*due)),
                Ok(Some(false)) | Err(_) => None,
            };
            if result.is_none() || !*blocks {
                waits.push(result);
            }
            waiting.remove(&number);
        }
        let late = waiting.extract_if(|_, one| now.saturating_duration_since(one.due) > PATIENCE).count();
        waits.extend(std::iter::repeat_n(None, late));
        if is_over() && waiting.is_empty() {
            return Ok(waits);
        }
    }
}
