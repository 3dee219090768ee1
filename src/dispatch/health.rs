//! When a worker counts as stalled: arithmetic only, so that a unit test can tune it.
//!
//! A loop that waits for events and a loop that hangs look alike from outside: neither beats. What tells them apart is
//! a connection that lies unread, or (see `Worker::is_running`) a process that computes without turning its loop. The
//! second is a suspicion only: a loop that has just been woken looks the same.

/// A loop that has not turned for this long does not get a new connection, and loses those it has not read, unless
/// another limit is set: well below what a client notices, well above one turn of a busy loop. In nanoseconds.
pub const STALL: u64 = 20_000_000;
/// A loop that turns but reads nothing for so many times the limit has no room (its descriptor table is full).
const CLOGGED: u64 = 5;
/// A stalled worker that cannot tell when its loop turns is tried again after so many times the limit.
const PAROLE: u64 = 5;

/// What is known of a worker's loop, the best first.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing speaks against it.
    #[default]
    Well,
    /// It computes, and has not turned for a while: it hangs, or has just been woken.
    Suspect,
    /// It has left a connection unread for too long.
    Stalled,
}

/// What the primary has seen of one worker.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    /// See [`STALL`].
    limit: u64,
    taken: u64,
    heartbeat: u64,
    /// When `taken` last changed, or the first of the connections now unread was sent.
    taken_at: u64,
    /// When `heartbeat` was last seen to change.
    heartbeat_at: u64,
    verdict: Verdict,
    judged_at: u64,
}

/// What a worker has written into the shared segment.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// Connections it has read.
    pub taken: u64,
    /// When its loop last turned; 0 where it cannot tell.
    pub heartbeat: u64,
    /// Connections it has not read.
    pub waiting: u64,
}

impl Health {
    /// Of a worker of which nothing is known; it counts as stalled after `limit` nanoseconds.
    pub fn new(limit: u64) -> Self {
        let (taken, heartbeat, taken_at, heartbeat_at, judged_at) = (0, 0, 0, 0, 0);
        Self { limit, taken, heartbeat, taken_at, heartbeat_at, verdict: Verdict::Well, judged_at }
    }

    /// After how many nanoseconds it counts as stalled.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// A connection is about to be sent to a worker that has read all before it.
    pub fn expect(&mut self, now: u64, pulse: Pulse) {
        if pulse.waiting == 0 {
            self.taken_at = now;
            self.heartbeat_at = now;
            self.taken = pulse.taken;
            self.heartbeat = pulse.heartbeat;
        }
    }

    /// Looks at the worker again.
    pub fn observe(&mut self, now: u64, pulse: Pulse) -> Verdict {
        let (read, turned) = (pulse.taken != self.taken, pulse.heartbeat != self.heartbeat);
        if read {
            self.taken = pulse.taken;
            self.taken_at = now;
        }
        if turned {
            self.heartbeat = pulse.heartbeat;
            self.heartbeat_at = now;
        }
        let paroled = pulse.heartbeat == 0 && now.saturating_sub(self.judged_at) >= PAROLE * self.limit;
        if read || turned || paroled {
            self.verdict = Verdict::Well;
        }
        if pulse.waiting > 0 && self.verdict != Verdict::Stalled {
            let unread = now.saturating_sub(self.taken_at);
            let still = now.saturating_sub(self.heartbeat_at);
            if unread >= self.limit && (still >= self.limit || unread >= CLOGGED * self.limit) {
                self.judge(now, pulse, Verdict::Stalled);
            }
        }
        self.verdict
    }

    /// The worker was found computing without turning its loop: suspect until the loop turns, or reads.
    pub fn suspect(&mut self, now: u64, pulse: Pulse) {
        self.judge(now, pulse, Verdict::Suspect);
    }

    /// The worker was asked to turn its loop, and has not for as long as the limit.
    pub fn hangs(&mut self, now: u64, pulse: Pulse) {
        self.judge(now, pulse, Verdict::Stalled);
    }

    fn judge(&mut self, now: u64, pulse: Pulse, verdict: Verdict) {
        self.taken = pulse.taken;
        self.heartbeat = pulse.heartbeat;
        self.verdict = verdict;
        self.judged_at = now;
    }

    /// What was found when it was last looked at.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// When to look again at a worker with unread connections, in nanoseconds of the monotonic clock.
    pub fn due(&self) -> u64 {
        self.taken_at.min(self.heartbeat_at) + self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(taken: u64, heartbeat: u64, waiting: u64) -> Pulse {
        Pulse { taken, heartbeat, waiting }
    }

    #[test]
    fn an_idle_worker_is_not_stalled() {
        let mut health = Health::new(STALL);
        assert_eq!(health.observe(10 * STALL, pulse(0, 0, 0)), Verdict::Well);
        assert_eq!(health.observe(99 * STALL, pulse(0, 0, 0)), Verdict::Well);
    }

    #[test]
    fn an_unread_connection_and_a_still_loop_are_a_stall_until_either_moves() {
        for after in [pulse(1, 5, 0), pulse(0, 6, 1)] {
            let mut health = Health::new(STALL);
            health.expect(STALL, pulse(0, 5, 0));
            assert_eq!(health.observe(2 * STALL - 1, pulse(0, 5, 1)), Verdict::Well);
            assert_eq!(health.due(), 2 * STALL);
            assert_eq!(health.observe(2 * STALL, pulse(0, 5, 1)), Verdict::Stalled);
            let taken_back = health.observe(3 * STALL, pulse(0, 5, 0));
            assert_eq!(taken_back, Verdict::Stalled, "its queue taken back, it is no better");
            assert_eq!(health.observe(3 * STALL, after), Verdict::Well);
        }
    }

    #[test]
    fn a_loop_that_turns_has_longer_to_read() {
        let mut health = Health::new(STALL);
        health.expect(0, pulse(0, 1, 0));
        assert_eq!(health.observe(2 * STALL, pulse(0, 2, 1)), Verdict::Well);
        assert_eq!(health.observe(4 * STALL, pulse(0, 3, 1)), Verdict::Well);
        assert_eq!(health.observe(CLOGGED * STALL, pulse(0, 4, 1)), Verdict::Stalled);
    }

    #[test]
    fn each_connection_read_starts_the_clock_again() {
        let mut health = Health::new(STALL);
        health.expect(0, pulse(0, 0, 0));
        assert_eq!(health.observe(STALL - 1, pulse(1, 0, 5)), Verdict::Well);
        assert_eq!(health.observe(2 * STALL - 2, pulse(1, 0, 5)), Verdict::Well);
        assert_eq!(health.observe(2 * STALL, pulse(1, 0, 5)), Verdict::Stalled);
    }

    #[test]
    fn a_worker_without_a_heartbeat_is_tried_again() {
        let mut health = Health::new(STALL);
        health.expect(0, pulse(0, 0, 0));
        assert_eq!(health.observe(STALL, pulse(0, 0, 1)), Verdict::Stalled);
        assert_eq!(health.observe(PAROLE * STALL, pulse(0, 0, 0)), Verdict::Stalled);
        assert_eq!(health.observe(STALL + PAROLE * STALL, pulse(0, 0, 0)), Verdict::Well);
    }

    #[test]
    fn a_loop_found_computing_is_suspect_until_it_turns_or_is_found_out() {
        let mut health = Health::new(STALL);
        health.suspect(0, pulse(3, 7, 0));
        assert_eq!(health.observe(STALL, pulse(3, 7, 0)), Verdict::Suspect);
        health.expect(STALL, pulse(3, 7, 0));
        assert_eq!(health.observe(2 * STALL - 1, pulse(3, 7, 1)), Verdict::Suspect);
        assert_eq!(health.observe(2 * STALL, pulse(3, 7, 1)), Verdict::Stalled);
        assert_eq!(health.observe(2 * STALL, pulse(3, 8, 1)), Verdict::Well);
    }
}
