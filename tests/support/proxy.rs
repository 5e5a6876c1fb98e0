//! A bad line: a proxy that passes bytes on until it is told to cut, after any byte of either direction.
//!
//! It blocks threads, not tasks, so that it works beside any runtime; a thread ends with its connection.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Which bytes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Those of the caller.
    Out,
    /// Those of the answer.
    Back,
}

/// Where each new connection breaks: both directions at once, as when a machine in the middle dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Which bytes are counted.
    pub way: Way,
    /// How many of them still arrive.
    pub after: u64,
}

/// The line. Dropped, it takes no more connections.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    cut: Mutex<Option<Cut>>,
    cuts: AtomicU64,
    is_over: Mutex<bool>,
}

impl Proxy {
    /// A line to an address; it is sound until a cut is asked for.
    pub fn start(target: SocketAddr) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port for a line");
        let addr = listener.local_addr().expect("it is bound");
        let (cut, is_over) = (Mutex::new(None), Mutex::new(false));
        let shared = Arc::new(Shared { target, cut, cuts: AtomicU64::new(0), is_over });
        let own = Arc::clone(&shared);
        thread::spawn(move || own.take(&listener));
        Self { addr, shared }
    }

    /// Where to call.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Breaks each connection that is opened from now on at this byte; `None` lets them be.
    pub fn set(&self, cut: Option<Cut>) {
        *self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }

    /// How many connections it has broken.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        *self.shared.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        // Wakes the thread that takes connections.
        drop(TcpStream::connect_timeout(&self.addr, Duration::from_secs(1)));
    }
}

impl Shared {
    fn take(self: Arc<Self>, listener: &TcpListener) {
        for caller in listener.incoming() {
            if *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) {
                return;
            }
            // A service that is not there is a line that breaks at once.
            let Ok(caller) = caller else { continue };
            let Ok(service) = TcpStream::connect(self.target) else { continue };
            self.join(caller, service);
        }
    }

    fn join(self: &Arc<Self>, caller: TcpStream, service: TcpStream) {
        let cut = *self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let most = |way| cut.filter(|cut| cut.way == way).map(|cut| cut.after);
        for socket in [&caller, &service] {
            socket.set_nodelay(true).expect("it is a socket");
        }
        let (out, back) = (most(Way::Out), most(Way::Back));
        let pair = |socket: &TcpStream| socket.try_clone().expect("a socket can be shared");
        let (from, to, own) = (pair(&caller), pair(&service), Arc::clone(self));
        thread::spawn(move || own.pass(from, to, out));
        let own = Arc::clone(self);
        thread::spawn(move || own.pass(service, caller, back));
    }

    /// Passes bytes on until the line ends or is cut.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, most: Option<u64>) {
        let (mut buffer, mut left) = ([0; 16 * 1024], most.unwrap_or(u64::MAX));
        let is_cut = loop {
            if left == 0 {
                break true;
            }
            let Ok(read @ 1..) = from.read(&mut buffer) else { break false };
            let passed = usize::try_from(left).map_or(read, |left| read.min(left));
            if to.write_all(&buffer[..passed]).is_err() {
                break false;
            }
            left -= passed as u64;
        };
        if is_cut {
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        // Whoever ends first ends both, so that the other thread does not wait for ever.
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    }
}
