//! The two rules that no lock protects, under a model checker that tries every order of every thread's steps, and every
//! value a load may give by the memory model: the wake-up, and copying from memory that may be overwritten.

use super::super::wake::{self, Word};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering, fence};
use loom::thread;

/// Our rule runs on the checker's atomics.
struct Modelled(AtomicU64);

impl Modelled {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Word for Modelled {
    fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn raise(&self, value: u64) {
        self.0.fetch_max(value, Ordering::SeqCst);
    }

    fn fence() {
        fence(Ordering::SeqCst);
    }
}

/// What a reader and its senders share. `knocks` and `bell` count rings, as the eventfds do. Whoever is called is another
/// reader, who rings in its own time: it is the worst that can come to the one that is looked at.
struct Shared {
    head: AtomicU64,
    arms: Modelled,
    called: Modelled,
    woken: Modelled,
    knocks: AtomicU64,
    bell: AtomicU64,
}

impl Shared {
    fn new() -> Arc<Self> {
        let (head, knocks, bell) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let (arms, called, woken) = (Modelled::new(), Modelled::new(), Modelled::new());
        Arc::new(Self { head, arms, called, woken, knocks, bell })
    }

    /// Sends, and has one called who wakes the rest. Answers what [`follow_up`](Self::follow_up) wants to know.
    fn call(&self) -> Option<u64> {
        self.head.fetch_add(1, Ordering::Release);
        wake::call(&self.arms, &self.called, &self.woken, || {
            self.knocks.fetch_add(1, Ordering::SeqCst);
        })
    }

    /// The end of a sender's turn.
    fn follow_up(&self, called: Option<u64>) {
        if called.is_some_and(|asleep| wake::is_left(&self.woken, asleep)) {
            self.wake();
        }
    }

    /// What the one does that is called, if it has been called: it went to sleep before all others.
    fn answer(&self) {
        if self.knocks.load(Ordering::SeqCst) > 0 {
            wake::answer(0, &self.arms, &self.called, &self.woken, || {
                self.bell.fetch_add(1, Ordering::SeqCst);
            });
        }
    }

    fn wake(&self) {
        wake::wake(&self.arms, &self.woken, || {
            self.bell.fetch_add(1, Ordering::SeqCst);
        });
    }

    fn send(&self) {
        self.head.fetch_add(1, Ordering::Release);
        self.wake();
    }

    /// What a reader does when its loop runs: hears the bell, reads, and says that it sleeps until nothing is left.
    /// Answers how much it has read and how many rings it has heard.
    fn turn(&self) -> (u64, u64) {
        loop {
            let heard = self.bell.load(Ordering::SeqCst);
            let read = self.head.load(Ordering::Acquire);
            wake::arm(&self.arms);
            if self.head.load(Ordering::Acquire) == read {
                return (read, heard);
            }
        }
    }

    /// Whether a reader that sleeps will be woken for what it has not read.
    fn is_safe(&self, (read, heard): (u64, u64)) -> bool {
        read == self.head.load(Ordering::SeqCst) || self.bell.load(Ordering::SeqCst) > heard
    }
}

/// Every order with at most two threads interrupted in their midst: all orders of three threads would take hours.
fn bounded(test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(test);
}

#[test]
fn no_reader_sleeps_on_what_was_sent() {
    loom::model(|| {
        let shared = Shared::new();
        let sender = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send())
        };
        let asleep = shared.turn();
        sender.join().unwrap();
        assert!(shared.is_safe(asleep));
    });
}

#[test]
fn nor_when_two_senders_race() {
    bounded(|| {
        let shared = Shared::new();
        let senders = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send())
        });
        let asleep = shared.turn();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert!(shared.is_safe(asleep));
    });
}

#[test]
fn nor_when_another_is_called_to_wake_it() {
    bounded(|| {
        let shared = Shared::new();
        let sender = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let called = shared.call();
                shared.follow_up(shared.call().or(called));
            })
        };
        let called = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.answer())
        };
        let asleep = shared.turn();
        sender.join().unwrap();
        called.join().unwrap();
        assert!(shared.is_safe(asleep));
    });
}

#[test]
fn nor_when_two_senders_call() {
    bounded(|| {
        let shared = Shared::new();
        let senders = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.follow_up(shared.call()))
        });
        let asleep = shared.turn();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert!(shared.is_safe(asleep));
    });
}

#[test]
fn a_reader_woken_for_nothing_is_woken_again() {
    bounded(|| {
        let shared = Shared::new();
        let sender = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.send();
                shared.send();
            })
        };
        let first = shared.turn();
        // Woken, perhaps for nothing, perhaps before the sender has noted that it has rung.
        let asleep = if shared.bell.load(Ordering::SeqCst) > first.1 { shared.turn() } else { first };
        sender.join().unwrap();
        assert!(shared.is_safe(asleep));
    });
}

#[test]
fn a_sender_that_dies_before_it_rings_leaves_it_to_the_next() {
    loom::model(|| {
        let shared = Shared::new();
        let dying = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.head.fetch_add(1, Ordering::Release);
            })
        };
        let asleep = shared.turn();
        dying.join().unwrap();
        shared.send();
        assert!(shared.is_safe(asleep));
    });
}

/// Two words of a record and the floor. The sender raises the floor, then overwrites; a reader that nothing protects
/// copies, then looks at the floor.
#[test]
fn what_is_copied_while_it_is_overwritten_is_never_believed() {
    loom::model(|| {
        let shared = Arc::new((AtomicU64::new(0), [AtomicU64::new(1), AtomicU64::new(1)]));
        let sender = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (floor, words) = &*shared;
                // As in room::make and ring::write.
                floor.store(16, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                for word in words {
                    word.store(2, Ordering::Relaxed);
                }
            })
        };
        let (floor, words) = &*shared;
        // As in ring::read and reader::torn.
        let copy = [words[0].load(Ordering::Relaxed), words[1].load(Ordering::Relaxed)];
        fence(Ordering::Acquire);
        if floor.load(Ordering::Relaxed) == 0 {
            assert_eq!(copy, [1, 1]);
        }
        sender.join().unwrap();
    });
}

/// The same for a reader that is protected: its tail is stored after it has copied, and loaded before the floor rises.
#[test]
fn nothing_is_overwritten_before_its_reader_has_passed_it() {
    loom::model(|| {
        let shared = Arc::new((AtomicU64::new(0), AtomicU64::new(1)));
        let sender = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (tail, word) = &*shared;
                if tail.load(Ordering::Acquire) == 8 {
                    word.store(2, Ordering::Relaxed);
                }
            })
        };
        let (tail, word) = &*shared;
        assert_eq!(word.load(Ordering::Relaxed), 1);
        tail.store(8, Ordering::Release);
        sender.join().unwrap();
    });
}
