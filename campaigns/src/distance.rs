//! Puts a service at a distance: delays everything that is sent to it. Every call over a connection takes that much
//! longer, and calls over several connections do not wait for each other, as with a network in between.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Most that is read at once, in bytes.
const CHUNK: usize = 16 * 1024;
/// Most chunks of one connection that are under way. A sender that is faster waits.
const UNDER_WAY: usize = 64;

/// The way to a service. It is closed when dropped.
pub struct Distance {
    /// Where the way begins.
    pub address: SocketAddr,
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
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // Only its two ends see that a connection breaks; the others go on.
                tokio::spawn(async move { connect(near, target, latency).await });
            }
        });
        Ok(Self { address, listening })
    }
}

impl Drop for Distance {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn connect(near: TcpStream, target: SocketAddr, latency: Duration) -> io::Result<()> {
    let far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (mut from_far, to_far) = far.into_split();
    let (from_near, mut to_near) = near.into_split();
    let back = async {
        tokio::io::copy(&mut from_far, &mut to_near).await?;
        to_near.shutdown().await
    };
    tokio::try_join!(late(from_near, to_far, latency), back)?;
    Ok(())
}

/// Passes everything on in its order, each part `latency` after it came.
async fn late(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, latency: Duration) -> io::Result<()> {
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
    async fn a_long_call_is_late_once() {
        let distance = Distance::to(echo().await, LATENCY).await.unwrap();
        let took = call(distance.address, 8 * 1024 * 1024).await;
        assert!(took >= LATENCY, "{took:?}");
    }
}
