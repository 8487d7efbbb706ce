//! Threads for work that is too heavy, or too little trusted, for the asynchronous runtime.
//!
//! ```text
//! run(inputs) ─▶ bounded queue ─▶ N threads ─▶ outputs, in the order of the inputs
//! ```
//!
//! A thread that does not come back in time is left behind and another takes its place. Only so
//! many may be left behind; past that the pool is [`PoolFault::Hung`], since each may hold a core.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

/// Most threads left behind at a time.
const MOST_LEFT_BEHIND: usize = 8;

/// Why a pool did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PoolFault {
    /// Not all was done in time. What was not begun is forgotten.
    #[error("not done within {}", humantime_serde::re::humantime::format_duration(*.0))]
    TimedOut(Duration),
    /// Too many threads did not come back.
    #[error("{0} threads did not come back; restart the process")]
    Hung(usize),
    /// The work itself panicked.
    #[error("the work was not finished: it panicked outside of what is guarded")]
    Lost,
    /// No thread to be had from the system.
    #[error("cannot start a thread: {0}")]
    Spawn(#[from] io::Error),
}

/// Threads that turn an `I` into an `O`.
pub(crate) struct Pool<I, O> {
    queue: mpsc::Sender<Job<I, O>>,
    shared: Arc<Shared<I, O>>,
}

struct Shared<I, O> {
    name: &'static str,
    work: Box<dyn Fn(I) -> O + Send + Sync>,
    jobs: Mutex<mpsc::Receiver<Job<I, O>>>,
    left_behind: AtomicUsize,
}

struct Job<I, O> {
    input: I,
    reply: oneshot::Sender<O>,
    ticket: Arc<Ticket>,
}

impl<I: Send + 'static, O: Send + 'static> Pool<I, O> {
    /// Starts `threads` threads.
    pub(crate) fn new(
        name: &'static str,
        threads: usize,
        work: impl Fn(I) -> O + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(threads);
        let shared = Arc::new(Shared {
            name,
            work: Box::new(work),
            jobs: Mutex::new(jobs),
            left_behind: AtomicUsize::new(0),
        });
        for _ in 0..threads {
            start(&shared)?;
        }
        Ok(Self { queue, shared })
    }

    /// One output for each input, in order, all within `timeout`.
    pub(crate) async fn run(&self, inputs: Vec<I>, timeout: Duration) -> Result<Vec<O>, PoolFault> {
        let mut outputs = Vec::with_capacity(inputs.len());
        let mut waiting = Waiting { pool: self, tickets: Vec::with_capacity(inputs.len()) };
        let gather = async {
            let mut answers = Vec::with_capacity(inputs.len());
            for input in inputs {
                let (reply, answer) = oneshot::channel();
                let ticket = Arc::new(Ticket::default());
                waiting.tickets.push(Arc::clone(&ticket));
                let job = Job { input, reply, ticket };
                self.queue.send(job).await.map_err(|_| PoolFault::Lost)?;
                answers.push(answer);
            }
            for answer in answers {
                outputs.push(answer.await.map_err(|_| PoolFault::Lost)?);
            }
            Ok(())
        };
        match timeout_at(Instant::now() + timeout, gather).await {
            Ok(Ok(())) => Ok(outputs),
            Ok(Err(fault)) => Err(fault),
            Err(_) => {
                waiting.leave_behind()?;
                Err(PoolFault::TimedOut(timeout))
            }
        }
    }
}

/// The jobs of one run. Dropping it, done or cancelled, takes back what was not begun.
struct Waiting<'a, I, O> {
    pool: &'a Pool<I, O>,
    tickets: Vec<Arc<Ticket>>,
}

impl<I: Send + 'static, O: Send + 'static> Waiting<'_, I, O> {
    /// Puts a new thread in the place of each that is still at work.
    fn leave_behind(&mut self) -> Result<(), PoolFault> {
        let shared = &self.pool.shared;
        for ticket in self.tickets.drain(..) {
            if ticket.leave() {
                let left = shared.left_behind.fetch_add(1, Ordering::Relaxed) + 1;
                if left > MOST_LEFT_BEHIND {
                    return Err(PoolFault::Hung(left));
                }
                start(shared)?;
            }
        }
        Ok(())
    }
}

impl<I, O> Drop for Waiting<'_, I, O> {
    fn drop(&mut self) {
        for ticket in &self.tickets {
            ticket.take_back();
        }
    }
}

fn start<I: Send + 'static, O: Send + 'static>(shared: &Arc<Shared<I, O>>) -> io::Result<()> {
    let shared = Arc::clone(shared);
    thread::Builder::new().name(shared.name.to_owned()).spawn(move || serve(&shared)).map(drop)
}

fn serve<I, O>(shared: &Shared<I, O>) {
    loop {
        // Whoever holds the lock waits for the next job; the others wait for the lock.
        let job = shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(Job { input, reply, ticket }) = job else { return };
        if !ticket.begin() {
            continue;
        }
        let output = catch_unwind(AssertUnwindSafe(|| (shared.work)(input)));
        if !ticket.finish() {
            shared.left_behind.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        if let Ok(output) = output {
            // A cancelled run has no use for it.
            drop(reply.send(output));
        }
    }
}

/// Where a job stands: told by the thread at work and by whoever waits, so that exactly one of
/// them decides.
#[derive(Default)]
struct Ticket(AtomicU8);

impl Ticket {
    const QUEUED: u8 = 0;
    const RUNNING: u8 = 1;
    const FINISHED: u8 = 2;
    const TAKEN_BACK: u8 = 3;
    const LEFT_BEHIND: u8 = 4;

    fn begin(&self) -> bool {
        self.advance(Self::QUEUED, Self::RUNNING)
    }

    fn finish(&self) -> bool {
        self.advance(Self::RUNNING, Self::FINISHED)
    }

    fn take_back(&self) -> bool {
        self.advance(Self::QUEUED, Self::TAKEN_BACK)
    }

    /// True when a thread was at work on it and is to be replaced.
    fn leave(&self) -> bool {
        !self.take_back() && self.advance(Self::RUNNING, Self::LEFT_BEHIND)
    }

    fn advance(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn outputs_come_in_the_order_of_their_inputs() {
        let pool = Pool::new("test", 3, |n: u64| {
            thread::sleep(Duration::from_millis(7 - n % 7));
            n
        })
        .unwrap();
        let inputs: Vec<u64> = (0..50).collect();
        assert_eq!(pool.run(inputs.clone(), LATE).await.unwrap(), inputs);
    }

    #[tokio::test]
    async fn a_hung_thread_is_replaced_and_work_goes_on() {
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let hold = Mutex::new(hold);
        let pool = Pool::new("test", 1, move |hang: bool| {
            if hang {
                let _ = hold.lock().unwrap().recv();
            }
        })
        .unwrap();
        assert!(matches!(pool.run(vec![true, false], SOON).await, Err(PoolFault::TimedOut(_))));
        pool.run(vec![false, false], LATE).await.unwrap();
        drop(release);
    }

    #[tokio::test]
    async fn too_many_hung_threads_are_reported_instead_of_leaking_more() {
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let hold = Arc::new(Mutex::new(hold));
        let pool = Pool::new("test", 1, move |(): ()| hold.lock().unwrap().recv().is_ok()).unwrap();
        for _ in 0..MOST_LEFT_BEHIND {
            assert!(matches!(pool.run(vec![()], SOON).await, Err(PoolFault::TimedOut(_))));
        }
        assert!(matches!(pool.run(vec![()], SOON).await, Err(PoolFault::Hung(_))));
        drop(release);
    }

    #[tokio::test]
    async fn a_panic_loses_its_job_and_not_the_thread() {
        let pool = Pool::new("test", 1, |n: u32| {
            assert!(n != 1, "one");
            n
        })
        .unwrap();
        assert!(matches!(pool.run(vec![1], LATE).await, Err(PoolFault::Lost)));
        assert_eq!(pool.run(vec![2], LATE).await.unwrap(), [2]);
    }
}
