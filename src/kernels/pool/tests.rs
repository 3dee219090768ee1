use super::*;
use std::sync::mpsc::{Receiver, channel};

/// A job that reports when it starts and runs until told to end.
fn blocker(pool: &Pool) -> (Ticket, Receiver<()>, std::sync::mpsc::Sender<()>, Receiver<Result<u32>>) {
    let (started_tx, started) = channel();
    let (end, end_rx) = channel::<()>();
    let (done_tx, done) = channel();
    let ticket = pool
        .submit(
            move |control| {
                started_tx.send(()).unwrap();
                while end_rx.try_recv().is_err() {
                    control.check()?;
                    std::thread::yield_now();
                }
                Ok(1)
            },
            move |result| done_tx.send(result).unwrap(),
        )
        .unwrap();
    (ticket, started, end, done)
}

fn submit_value(pool: &Pool, value: u32) -> (Result<Ticket>, Receiver<Result<u32>>) {
    let (tx, rx) = channel();
    (pool.submit(move |_| Ok(value), move |result| tx.send(result).unwrap()), rx)
}

/// Waits for the counters, which are written just after `done` was called.
fn wait_for(pool: &Pool, what: impl Fn(Stats) -> bool) {
    while !what(pool.stats()) {
        std::thread::yield_now();
    }
}

#[test]
fn a_job_gives_its_result_and_is_counted() {
    let pool = Pool::new(2, 10);
    let (ticket, result) = submit_value(&pool, 7);
    ticket.unwrap();
    assert_eq!(result.recv().unwrap().unwrap(), 7);
    wait_for(&pool, |stats| stats.running == 0);
    assert_eq!(pool.stats().completed, 1);
}

#[test]
fn a_panic_becomes_an_error_and_the_thread_goes_on() {
    let pool = Pool::new(1, 10);
    let (tx, rx) = channel();
    pool.submit(|_| -> Result<()> { panic!("out of cheese") }, move |result| tx.send(result).unwrap()).unwrap();
    match rx.recv().unwrap() {
        Err(Error::Internal(message)) => assert_eq!(message, "out of cheese"),
        other => panic!("{other:?}"),
    }
    let (_, after) = submit_value(&pool, 3);
    assert_eq!(after.recv().unwrap().unwrap(), 3);
    wait_for(&pool, |stats| stats.running == 0);
    assert_eq!((pool.stats().failed, pool.stats().completed), (1, 1));
}

#[test]
fn a_full_queue_refuses_and_takes_jobs_again_later() {
    let pool = Pool::new(1, 1);
    let (_, started, end, first) = blocker(&pool);
    started.recv().unwrap();
    let (queued, second) = submit_value(&pool, 2);
    queued.unwrap();
    assert!(matches!(submit_value(&pool, 3).0, Err(Error::QueueFull { limit: 1 })));
    end.send(()).unwrap();
    assert_eq!(first.recv().unwrap().unwrap(), 1);
    assert_eq!(second.recv().unwrap().unwrap(), 2);
    wait_for(&pool, |stats| stats.running == 0);
    assert_eq!(submit_value(&pool, 4).1.recv().unwrap().unwrap(), 4);
}

#[test]
fn abort_settles_a_waiting_job_at_once_and_frees_its_place() {
    let pool = Pool::new(1, 1);
    let (_, started, end, _first) = blocker(&pool);
    started.recv().unwrap();
    let (ticket, second) = submit_value(&pool, 2);
    pool.abort(&ticket.unwrap());
    // The blocker still runs, so only the abort itself can have settled it.
    assert!(matches!(second.try_recv(), Ok(Err(Error::Aborted))));
    let (ticket, third) = submit_value(&pool, 3);
    assert!(ticket.is_ok());
    end.send(()).unwrap();
    assert_eq!(third.recv().unwrap().unwrap(), 3);
}

#[test]
fn abort_stops_a_running_job_at_its_next_check() {
    let pool = Pool::new(1, 1);
    let (ticket, started, _end, done) = blocker(&pool);
    started.recv().unwrap();
    pool.abort(&ticket);
    assert!(matches!(done.recv().unwrap(), Err(Error::Aborted)));
    wait_for(&pool, |stats| stats.running == 0);
    assert_eq!(pool.stats().aborted, 1);
}

#[test]
fn what_a_job_owns_is_gone_before_done_is_called() {
    let pool = Pool::new(1, 1);
    let owned = Arc::new(());
    let (tx, rx) = channel();
    let (inside, watched) = (Arc::clone(&owned), Arc::clone(&owned));
    let job = move |_: &Control| {
        assert!(Arc::strong_count(&inside) > 1);
        Ok(())
    };
    pool.submit(job, move |_| tx.send(Arc::strong_count(&watched)).unwrap()).unwrap();
    // `owned` here and `watched` in `done`: the job's own is gone.
    assert_eq!(rx.recv().unwrap(), 2);
}

#[test]
fn configure_takes_effect_on_the_next_jobs() {
    let pool = Pool::new(1, 0);
    let (_, started, end, _done) = blocker(&pool);
    started.recv().unwrap();
    assert!(matches!(submit_value(&pool, 2).0, Err(Error::QueueFull { limit: 0 })));
    pool.configure(Some(2), None);
    assert_eq!(submit_value(&pool, 2).1.recv().unwrap().unwrap(), 2);
    end.send(()).unwrap();
    assert_eq!(pool.stats().threads, 2);
}

#[test]
#[cfg(target_os = "linux")]
fn threads_stand_below_event_loops() {
    let pool = Pool::new(1, 1);
    let here = thread::priority();
    let (tx, rx) = channel();
    pool.submit(|_| Ok(thread::priority()), move |result| tx.send(result).unwrap()).unwrap();
    assert_eq!(rx.recv().unwrap().unwrap(), (here + NICE).min(19));
    assert_eq!(thread::priority(), here);
}

#[test]
#[cfg(target_os = "linux")]
fn pools_behind_one_gate_share_its_places() {
    let (gate, file) = Gate::create(1).unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let (mine, other) = (Pool::new(2, 10), Pool::new(2, 10));
    mine.join(gate);
    other.join(Gate::open(path.as_ref()).unwrap());
    let (_, started, end, _done) = blocker(&mine);
    started.recv().unwrap();
    // The only place is taken: the other pool's job waits, and can be aborted there.
    let (ticket, result) = submit_value(&other, 1);
    other.abort(&ticket.unwrap());
    assert!(matches!(result.recv().unwrap(), Err(Error::Aborted)));
    let (_, result) = submit_value(&other, 2);
    end.send(()).unwrap();
    assert_eq!(result.recv().unwrap().unwrap(), 2);
}

#[test]
fn a_spare_place_is_lent_only_while_one_is_free_and_nobody_waits() {
    let pool = Pool::new(2, 10);
    let (_, started, end, done) = blocker(&pool);
    started.recv().unwrap();
    let place = pool.spare().expect("one of two runs");
    assert!(pool.spare().is_none(), "both places are taken");
    // A job that comes now waits, and starts as soon as the place is given back.
    let (ticket, result) = submit_value(&pool, 5);
    ticket.unwrap();
    assert_eq!(pool.stats().queued, 1);
    drop(place);
    assert_eq!(result.recv().unwrap().unwrap(), 5);
    end.send(()).unwrap();
    assert_eq!(done.recv().unwrap().unwrap(), 1);
    wait_for(&pool, |stats| stats.running == 0);
}

#[test]
fn no_place_is_lent_where_all_run() {
    let pool = Pool::new(1, 10);
    let (_, started, end, done) = blocker(&pool);
    started.recv().unwrap();
    assert!(pool.spare().is_none());
    end.send(()).unwrap();
    done.recv().unwrap().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn no_place_is_lent_where_the_gate_is_full() {
    let (gate, _file) = Gate::create(1).unwrap();
    let pool = Pool::new(2, 10);
    pool.join(gate);
    let (_, started, end, done) = blocker(&pool);
    started.recv().unwrap();
    assert!(pool.spare().is_none(), "the job has the only place");
    end.send(()).unwrap();
    done.recv().unwrap().unwrap();
}
