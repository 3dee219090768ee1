//! When a sender wakes those who sleep: the first message after a lull does. Of many that follow each other only some do, ever
//! fewer, and the end of the loop's turn: to wake costs more than to send, and costs each reader, too.

/// A message wakes who sleeps, unless others were woken less than so many nanoseconds ago.
const PAUSE: u64 = 50_000;
/// Within a turn the pause doubles with each wake-up, up to this.
const LONGEST_PAUSE: u64 = 1_000_000;

/// Whom a message wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Who sleeps, now: nobody has been woken for a while.
    Now,
    /// Who sleeps, and it is in the midst of many messages: somebody else should have the work.
    Meanwhile,
    /// Nobody before the end of the turn, or a later message.
    Later,
}

/// One sender's pace. Times are in nanoseconds of any one clock.
#[derive(Debug)]
pub struct Pace {
    last: u64,
    pause: u64,
    /// Messages of this turn have woken nobody when they were sent.
    owes: bool,
}

impl Default for Pace {
    /// Of a sender that has woken nobody yet.
    fn default() -> Self {
        Self { last: 0, pause: PAUSE, owes: false }
    }
}

impl Pace {
    /// A message was sent at `now`.
    pub fn sent(&mut self, now: u64) -> Wake {
        if self.last != 0 && now.saturating_sub(self.last) < self.pause {
            self.owes = true;
            return Wake::Later;
        }
        self.last = now;
        if !self.owes {
            return Wake::Now;
        }
        self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        Wake::Meanwhile
    }

    /// Whether the end of the turn has somebody to wake.
    pub fn owes(&self) -> bool {
        self.owes
    }

    /// The turn ends. Answers what [`owes`](Self::owes) would have.
    pub fn end_turn(&mut self) -> bool {
        self.pause = PAUSE;
        std::mem::take(&mut self.owes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_far_apart_wake_each() {
        let mut pace = Pace::default();
        for turn in 1..10 {
            assert_eq!(pace.sent(turn * PAUSE), Wake::Now);
            assert!(!pace.owes());
        }
    }

    #[test]
    fn of_a_burst_ever_fewer_do_and_its_end() {
        let mut pace = Pace::default();
        let mut woke = Vec::new();
        for now in (1_000_000..11_000_000).step_by(1000) {
            match pace.sent(now) {
                Wake::Later => assert!(pace.owes()),
                wake => woke.push((now, wake)),
            }
        }
        assert_eq!(woke[0], (1_000_000, Wake::Now));
        assert!(woke[1..].iter().all(|&(_, wake)| wake == Wake::Meanwhile));
        let pauses: Vec<_> = woke.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert_eq!(pauses[..6], [50_000, 100_000, 200_000, 400_000, 800_000, 1_000_000]);
        assert!(pauses[6..].iter().all(|&pause| pause == LONGEST_PAUSE));
        assert!(pace.end_turn());
        assert!(!pace.end_turn());
        assert_eq!(pace.sent(12_000_000), Wake::Now, "the next turn begins anew");
    }
}
