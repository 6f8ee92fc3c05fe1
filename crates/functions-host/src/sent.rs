//! The body of an answer, with the function to call once it was handed to the connection.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

type Then = Box<dyn FnOnce() + Send>;

/// The function to call once an answer was handed over. Its clones call it once at the most.
#[derive(Clone)]
pub(crate) struct WhenSent(Arc<Mutex<Option<Then>>>);

impl WhenSent {
    pub(crate) fn new(then: impl FnOnce() + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(then)))))
    }

    fn call(&self) {
        let then = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(then) = then {
            then();
        }
    }
}

impl fmt::Debug for WhenSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhenSent")
    }
}

/// One piece of bytes, and the function to call when the connection is done with it. The function is not called when
/// the connection breaks before it took the bytes; a connection that breaks afterwards cannot be told from a host that
/// dies with the answer in its hands.
pub(crate) struct Sent {
    bytes: Option<Bytes>,
    then: Option<WhenSent>,
}

impl Sent {
    pub(crate) fn new(bytes: Bytes, then: Option<WhenSent>) -> Self {
        Self { bytes: Some(bytes), then }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let (None, Some(then)) = (&self.bytes, &self.then) {
            then.call();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use futures::future::poll_fn;

    fn body(calls: &Arc<AtomicUsize>) -> Sent {
        let calls = Arc::clone(calls);
        let then = WhenSent::new(move || {
            calls.fetch_add(1, Ordering::SeqCst);
        });
        Sent::new(Bytes::from_static(b"{}"), Some(then))
    }

    #[tokio::test]
    async fn what_was_taken_is_sent_and_what_was_dropped_before_is_not() {
        let calls = Arc::new(AtomicUsize::new(0));
        drop(body(&calls));
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        let mut taken = body(&calls);
        let frame = poll_fn(|context| Pin::new(&mut taken).poll_frame(context)).await;
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), Bytes::from_static(b"{}"));
        assert!(taken.is_end_stream());
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        drop(taken);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}
