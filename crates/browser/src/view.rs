//! The view of a person: the size of the screen, its colours, or paper.

use serde_json::json;

use crate::{Browser, Error};

/// One way to look at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Names its pictures.
    pub name: &'static str,
    /// Width and height, CSS pixels.
    pub size: (u32, u32),
    /// Whether the person prefers dark colours.
    pub is_dark: bool,
    /// Whether it is a touch screen held in one hand.
    pub is_phone: bool,
    /// Whether it is paper.
    pub is_print: bool,
}

impl View {
    /// A screen on a desk.
    pub const LIGHT: Self =
        Self { name: "light", size: (1280, 900), is_dark: false, is_phone: false, is_print: false };
    /// The same at night.
    pub const DARK: Self = Self { name: "dark", is_dark: true, ..Self::LIGHT };
    /// A phone.
    pub const PHONE: Self = Self { name: "phone", size: (390, 844), is_phone: true, ..Self::LIGHT };
    /// A phone at night.
    pub const DARK_PHONE: Self = Self { name: "dark-phone", is_dark: true, ..Self::PHONE };
    /// A4 on paper, upright.
    pub const PRINT: Self = Self { name: "print", size: (794, 1123), is_print: true, ..Self::LIGHT };
}

impl Browser {
    /// Uses another view from now on; the browser lays an open page out anew.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn look_through(&self, view: View) -> Result<(), Error> {
        let (width, height) = view.size;
        let scale = if view.is_phone { 2 } else { 1 };
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": view.is_phone});
        self.devtools("resizing", "Emulation.setDeviceMetricsOverride", metrics).await?;
        let media = json!({
            "media": if view.is_print { "print" } else { "screen" },
            "features": [{"name": "prefers-color-scheme", "value": if view.is_dark { "dark" } else { "light" }}],
        });
        self.devtools("choosing colours", "Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }
}
