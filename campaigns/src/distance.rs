//! Puts a service at a distance: delays everything that is sent to it. Every call over a connection takes that much
//! longer, and calls over several connections do not wait for each other, as with a network in between. The way can be
//! closed for a while, as in an outage.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Most that is read at once, in bytes.
const CHUNK: usize = 16 * 1024;
/// Most chunks of one connection that are under way. A sender that is faster waits.
const UNDER_WAY: usize = 64;

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It arrives.
    Open,
    /// Every connection is broken off, and each new one before anything has passed.
    Refused,
    /// Connections stand, and nothing passes in either direction until the way is open again.
    Silent,
}

/// The way to a service. It ends when dropped.
pub struct Distance {
    /// Where the way begins.
    pub address: SocketAddr,
    passage: watch::Sender<Passage>,
    listening: JoinHandle<()>,
}

impl Distance {
    /// A way to `target` that takes `latency`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn to(target: SocketAddr, latency: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (passage, seen) = watch::channel(Passage::Open);
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (mut broken_off, passage) = (seen.clone(), seen.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        // Dropping the other future drops both ends of the connection.
                        _ = broken_off.wait_for(|passage| *passage == Passage::Refused) => {}
                        // Only its two ends see that a connection breaks; the others go on.
                        _ = connect(near, target, latency, passage) => {}
                    }
                });
            }
        });
        Ok(Self { address, passage, listening })
    }

    /// Opens the way or closes it, for the connections that stand and for all that come.
    pub fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

impl Drop for Distance {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn connect(
    near: TcpStream,
    target: SocketAddr,
    latency: Duration,
    passage: watch::Receiver<Passage>,
) -> io::Result<()> {
    let far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (from_far, to_far) = far.into_split();
    let (from_near, to_near) = near.into_split();
    let there = late(from_near, to_far, latency, passage.clone());
    let back = late(from_far, to_near, Duration::ZERO, passage);
    tokio::try_join!(there, back)?;
    Ok(())
}

/// Passes everything on in its order, each part `latency` after it came, and none while the way is silent.
async fn late(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    latency: Duration,
    mut passage: watch::Receiver<Passage>,
) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let reading = async move {
        loop {
            let mut chunk = vec![0; CHUNK];
            let length = from.read(&mut chunk).await?;
            chunk.truncate(length);
            if length == 0 || sender.send((Instant::now() + latency, chunk)).await.is_err() {
                return Ok(());
            }
        }
    };
    let writing = async move {
        while let Some((due, chunk)) = receiver.recv().await {
            sleep_until(due).await;
            // The sender is gone with the way itself.
            let open = passage.wait_for(|passage| *passage != Passage::Silent).await;
            drop(open.map_err(io::Error::other)?);
            to.write_all(&chunk).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reading, writing)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    const LATENCY: Duration = Duration::from_millis(200);

    /// A server that sends everything back that it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = connection.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    /// Sends so many bytes, and answers how long it took until they were all back.
    async fn call(address: SocketAddr, bytes: usize) -> Duration {
        let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
        let sent: Vec<u8> = (0..bytes).map(|place| u8::try_from(place % 251).unwrap()).collect();
        let since = Instant::now();
        let sending = async {
            to.write_all(&sent).await.unwrap();
            to.shutdown().await.unwrap();
        };
        let mut answer = Vec::new();
        let (_, read) = tokio::join!(sending, from.read_to_end(&mut answer));
        read.unwrap();
        assert_eq!(answer, sent, "what comes is what was sent, in its order");
        since.elapsed()
    }

    #[tokio::test]
    async fn every_call_takes_longer_and_none_waits_for_another() {
        let distance = Distance::to(echo().await, LATENCY).await.unwrap();
        let since = Instant::now();
        let calls = join_all((0..50).map(|_| call(distance.address, 100))).await;
        assert!(calls.iter().all(|took| *took >= LATENCY), "{calls:?}");
        assert!(since.elapsed() < LATENCY * 10, "50 calls took {:?}", since.elapsed());
    }

    #[tokio::test]
    async fn a_refused_way_breaks_off_what_stands_and_lets_nothing_in_until_it_is_open() {
        let distance = Distance::to(echo().await, Duration::ZERO).await.unwrap();
        let mut standing = TcpStream::connect(distance.address).await.unwrap();
        standing.write_all(b"a").await.unwrap();
        assert_eq!(standing.read_u8().await.unwrap(), b'a');
        distance.set(Passage::Refused);
        assert!(standing.read_u8().await.is_err());
        let mut late = TcpStream::connect(distance.address).await.unwrap();
        assert!(late.read_u8().await.is_err());
        distance.set(Passage::Open);
        call(distance.address, 100).await;
    }

    #[tokio::test]
    async fn over_a_silent_way_nothing_comes_until_it_is_open_and_then_all_of_it() {
        let distance = Distance::to(echo().await, Duration::ZERO).await.unwrap();
        distance.set(Passage::Silent);
        let mut calling = Box::pin(call(distance.address, 100));
        let waited = tokio::time::timeout(LATENCY, &mut calling).await;
        assert!(waited.is_err(), "it came over a silent way");
        distance.set(Passage::Open);
        assert!(calling.await >= LATENCY);
    }

    #[tokio::test]
    async fn a_long_call_is_late_once() {
        let distance = Distance::to(echo().await, LATENCY).await.unwrap();
        let took = call(distance.address, 8 * 1024 * 1024).await;
        assert!(took >= LATENCY, "{took:?}");
    }
}
