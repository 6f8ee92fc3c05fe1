//! A port for a handler, which is named before anything listens on it.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// The ports that are drawn from. Linux gives those from 32768 on by default, macOS and Windows those from 49152 on, to every
/// program that asks for any port; a handler that takes its port late would find another program there.
const DRAWN: std::ops::Range<u16> = 10_240..32_768;

/// How many of them are tried before the system is asked for any.
const TRIES: usize = 100;

/// A port of this machine on which no process listens now, and which the system, by its defaults, gives to no program that asks for any.
///
/// The handler listens there only after it has started, so another program that is told to use this port can still take
/// it. Where a hundred ports are taken, the answer is one that the system chooses.
///
/// # Errors
/// When there is no free port.
pub fn free_port() -> io::Result<u16> {
    let drawn = (0..TRIES).map(|_| {
        let span = u128::from(DRAWN.end - DRAWN.start);
        let offset = uuid::Uuid::new_v4().as_u128() % span;
        DRAWN.start + u16::try_from(offset).unwrap_or_default()
    });
    for port in drawn {
        if listens_nowhere(port).is_ok() {
            return Ok(port);
        }
    }
    listens_nowhere(0)
}

/// The port, when a listener can be had there. The listener is gone at once.
fn listens_nowhere(port: u16) -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_none_that_linux_gives_by_default_and_none_that_is_taken() {
        let mut taken = Vec::new();
        for _ in 0..200 {
            let port = free_port().unwrap();
            assert!(DRAWN.contains(&port), "{port}");
            taken.push(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        }
    }
}
