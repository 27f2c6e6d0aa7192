"""Draw the pictures of the shipped personas: ``uv run python docs/draw_avatars.py``. Needs Debian's Chromium.

Each is an SVG made here, 720 × 1280, a face from the front in even light: fit to be shown, and to become a talking
photo. The same Chromium draws the same bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

AVATARS = Path(__file__).parent.parent / "personas" / "avatars"
WIDTH, HEIGHT = 720, 1280
QUALITY = 72  # of the JPEG


@dataclass(frozen=True)
class Skin:
    """A skin in light and shade, with its blush and lips."""

    light: str
    base: str
    shade: str
    line: str
    blush: str
    lip: str
    lip_low: str


FACE = "M360 330 C452 330 506 410 502 520 C498 622 442 706 360 710 C278 706 222 622 218 520 C214 410 268 330 360 330 Z"


def neck(skin: Skin) -> str:
    """The neck down to where clothes begin, in the head's shade."""
    return f"""
    <path d="M292 660 L286 792 C282 824 262 838 244 848 L360 990 L476 848 C458 838 438 824 434 792 L428 660 Z"
      fill="{skin.base}"/>
    <path d="M291 690 Q360 800 429 690 L432 760 Q360 868 288 760 Z" fill="{skin.shade}" opacity=".8"/>"""


def head(skin: Skin) -> str:
    """Ears and face, lit from the left."""
    return f"""
    <g fill="{skin.base}"><ellipse cx="219" cy="540" rx="24" ry="42"/><ellipse cx="501" cy="540" rx="24" ry="42"/></g>
    <g fill="{skin.shade}" opacity=".55"><ellipse cx="217" cy="542" rx="11" ry="24"/>
      <ellipse cx="504" cy="542" rx="12" ry="25"/></g>
    <path d="{FACE}" fill="url(#skin)"/>
    <clipPath id="face"><path d="{FACE}"/></clipPath>
    <g clip-path="url(#face)">
      <path d="M420 300 C474 420 470 600 372 722 L540 722 L540 300 Z" fill="{skin.shade}" opacity=".30"
        filter="url(#soft)"/>
      <ellipse cx="276" cy="606" rx="44" ry="32" fill="{skin.blush}" opacity=".42" filter="url(#soft)"/>
      <ellipse cx="446" cy="606" rx="44" ry="32" fill="{skin.blush}" opacity=".42" filter="url(#soft)"/>
      <ellipse cx="318" cy="414" rx="66" ry="40" fill="#fff" opacity=".16" filter="url(#soft)"/>
    </g>
    <path d="M368 500 C372 548 390 586 384 606 C380 620 366 622 358 620 C368 590 366 540 368 500 Z" fill="{skin.shade}"
      opacity=".5"/>
    <path d="M334 604 Q340 620 360 619 Q380 620 386 604" fill="none" stroke="{skin.line}" stroke-width="5"
      stroke-linecap="round"/>"""


def eyes(iris: str, lash: str, brow: str, *, smile: float = 0, brows: float = 9, lift: float = 0) -> str:
    """Both eyes and brows; ``smile`` raises the lower lids, ``lift`` the brows, in pixels."""
    drawn = []
    for side, x in ((-1, 300), (1, 420)):
        white = f"M-31 2 Q-4 -25 31 -1 Q4 {20 - smile} -31 2 Z"
        drawn.append(f"""
    <g transform="translate({x} 532) scale({-side} 1)">
      <clipPath id="eye{x}"><path d="{white}"/></clipPath>
      <path d="{white}" fill="#fdfaf5"/>
      <g clip-path="url(#eye{x})"><circle cy="-2" r="15" fill="{iris}"/><circle cy="-2" r="7" fill="#17110f"/>
        <path d="M-34 -30 H34 V-12 Q0 -22 -34 -2 Z" fill="{lash}" opacity=".22"/></g>
      <circle cx="{5 * -side}" cy="-7" r="4.2" fill="#fff"/>
      <path d="M-33 3 Q-4 -27 33 -2" fill="none" stroke="{lash}" stroke-width="6" stroke-linecap="round"/>
      <path d="M-24 {10 - smile * 0.5} Q2 {21 - smile} 24 {6 - smile * 0.5}" fill="none" stroke="{lash}"
        stroke-width="2" opacity=".45" stroke-linecap="round"/>
      <path d="M-40 {-38 - lift} Q-2 {-66 - lift} 37 {-46 - lift} Q0 {-54 - lift} -40 {-38 - lift} Z" fill="{brow}"
        stroke="{brow}" stroke-width="{brows}" stroke-linejoin="round"/>
    </g>""")
    return "".join(drawn)


def mouth(skin: Skin, width: float, smile: float) -> str:
    """Closed lips, as a talking photo wants them: half a width, and how far the corners are raised."""
    left, right, y, corner = 360 - width, 360 + width, 658, 658 - smile
    return f"""
    <path d="M{left} {corner} C{left + 22} {y - 8} 346 {y - 15} 360 {y - 8} C374 {y - 15} {right - 22} {y - 8} {right}
      {corner} Q360 {y + smile} {left} {corner} Z" fill="{skin.lip}"/>
    <path d="M{left} {corner} Q360 {y + smile} {right} {corner} C{right - 18} {y + 26} {left + 18} {y + 26} {left}
      {corner} Z" fill="{skin.lip_low}"/>
    <path d="M{left - 5} {corner - 2} Q360 {y + smile + 2} {right + 5} {corner - 2}" fill="none" stroke="{skin.line}"
      stroke-width="4" stroke-linecap="round"/>
    <ellipse cx="350" cy="{y + 13}" rx="17" ry="4" fill="#fff" opacity=".28"/>"""


def glasses(frame: str, rx: float, ry: float, corner: float, width: float = 5) -> str:
    """Glasses on the eyes: half the width and height of a lens, and how round its corners are."""
    lenses = "".join(
        f'<rect x="{x - rx}" y="{538 - ry}" width="{2 * rx}" height="{2 * ry}" rx="{corner}"/>' for x in (300, 420)
    )
    glints = "".join(
        f'<path d="M{x - rx * 0.5} {538 + ry * 0.35} L{x - rx * 0.05} {538 - ry * 0.6}"/>' for x in (300, 420)
    )
    return f"""
    <g fill="#fff" fill-opacity=".10" stroke="{frame}" stroke-width="{width}">{lenses}</g>
    <g fill="none" stroke="{frame}" stroke-width="{width}" stroke-linecap="round">
      <path d="M{300 + rx} 530 Q360 514 {420 - rx} 530"/><path d="M{300 - rx} 530 L222 520"/>
      <path d="M{420 + rx} 530 L498 520"/></g>
    <g stroke="#fff" stroke-width="5" opacity=".4" stroke-linecap="round">{glints}</g>"""


def lines(paths: Iterable[str], colour: str, width: float, opacity: float = 1) -> str:
    """Fine lines: of a face, of hair, of cloth."""
    drawn = "".join(f'<path d="{path}"/>' for path in paths)
    return (
        f'<g fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" opacity="{opacity}">'
        f"{drawn}</g>"
    )


def around(x: float, y: float, radius: float, angle: float) -> tuple[float, float]:
    """A point of a circle; 0 degrees is the top."""
    turned = math.radians(angle - 90)
    return round(x + radius * math.cos(turned), 1), round(y + radius * math.sin(turned), 1)


def picture(skin: Skin, definitions: str, drawn: str) -> str:
    """The whole SVG."""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">
    <defs>
      <linearGradient id="skin" x1="0" x2="1"><stop offset="0" stop-color="{skin.light}"/>
        <stop offset=".62" stop-color="{skin.base}"/><stop offset="1" stop-color="{skin.base}"/></linearGradient>
      <filter id="soft" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="16"/></filter>
      {definitions}
    </defs>{drawn}</svg>"""


# Asha: before the clock of her station, where two rails come from afar


def asha() -> str:
    """Silver hair, round golden glasses, a sari in teal with a golden border."""
    skin = Skin("#c98f63", "#b97d53", "#8a5636", "#6f3f28", "#c9573f", "#9c4a3f", "#b35d4e")
    ticks = []
    for angle in range(0, 360, 6):
        (x1, y1), (x2, y2) = (around(360, 500, r, angle) for r in (302 if angle % 30 else 284, 324))
        ticks.append(f'<path d="M{x1} {y1} L{x2} {y2}" stroke-width="{4 if angle % 30 else 11}"/>')
    jasmine = "".join(
        '<circle cx="{}" cy="{}" r="10"/>'.format(*around(506, 672, 46, angle)) for angle in range(0, 360, 24)
    )
    definitions = """
      <linearGradient id="wall" x2="0" y2="1"><stop stop-color="#0b5753"/><stop offset=".6" stop-color="#12807a"/>
        <stop offset="1" stop-color="#0a4a47"/></linearGradient>
      <linearGradient id="sari" x2="1" y2="1"><stop stop-color="#1b9a90"/><stop offset="1" stop-color="#0a5a58"/>
      </linearGradient>
      <radialGradient id="dial"><stop stop-color="#fff6df"/><stop offset=".8" stop-color="#f9e6bd"/>
        <stop offset="1" stop-color="#f3d594"/></radialGradient>"""
    hair = "#c9ccd1"
    return picture(
        skin,
        definitions,
        f"""
    <rect width="720" height="1280" fill="url(#wall)"/>
    <circle cx="360" cy="500" r="352" fill="#083f3d" opacity=".35"/>
    <circle cx="360" cy="500" r="344" fill="#e2a63a"/><circle cx="360" cy="500" r="330" fill="url(#dial)"/>
    <g stroke="#0b5753" stroke-linecap="round">{"".join(ticks)}</g>
    <circle cx="506" cy="672" r="52" fill="#a9aeb6"/><circle cx="500" cy="666" r="34" fill="#c9ccd1" opacity=".7"/>
    <g fill="#fffaf0" stroke="#e6d9b8" stroke-width="2">{jasmine}</g>
    <g transform="translate(0 46)"><path d="M208 540 C176 340 250 252 360 252 C470 252 544 340 512 540 C514 610 484 660 440 690
      L280 690 C236 660 206 610 208 540 Z" fill="#9da2aa"/></g>
    {neck(skin)}
    <path d="M40 1280 C52 1010 120 890 258 838 L300 800 Q360 872 420 800 L462 838 C600 890 668 1010 680 1280 Z"
      fill="#e8a32f"/>
    <path d="M300 800 Q360 872 420 800 L438 828 Q360 926 282 828 Z" fill="#c47f1c"/>
    <path d="M40 1280 C52 1010 120 890 258 838 C300 960 430 1150 560 1280 Z" fill="url(#sari)"/>
    <path d="M258 838 C300 960 430 1150 560 1280 L626 1280 C470 1130 340 950 290 812 Z" fill="#f2b441"/>
    {lines(("M278 836 C332 962 446 1130 590 1280",), "#b9541f", 5)}
    {lines(("M270 838 C318 962 434 1138 572 1280", "M284 822 C342 958 462 1130 612 1280"), "#fff3d2", 3, 0.7)}
    {
            lines(
                (
                    "M128 1280 C130 1110 160 1000 224 920",
                    "M216 1280 C204 1150 214 1060 250 980",
                    "M318 1280 C292 1190 284 1120 292 1060",
                ),
                "#064744",
                5,
                0.45,
            )
        }
    <g transform="translate(0 46)">
    {head(skin)}
    <path d="M360 374 C306 376 252 404 230 476 C226 500 216 516 202 522 C186 436 192 366 232 320 C268 274 312 256 360 256
      Z" fill="{hair}"/>
    <path d="M360 374 C414 376 468 404 490 476 C494 500 504 516 518 522 C534 436 528 366 488 320 C452 274 408 256 360 256
      Z" fill="#b4b9c0"/>
    {
            lines(
                (
                    "M350 284 C290 294 232 344 210 470",
                    "M338 270 C276 284 218 334 200 450",
                    "M350 312 C300 322 246 366 222 460",
                    "M370 284 C430 294 488 344 510 470",
                    "M382 270 C444 284 502 334 520 450",
                    "M370 312 C420 322 474 366 498 460",
                ),
                "#f1f2f4",
                4,
                0.75,
            )
        }
    {lines(("M360 262 V372",), "#8a5636", 5, 0.8)}
    {eyes("#4a2c1b", "#2c1a14", "#8f9298", smile=4, brows=6, lift=-4)}
    {
            lines(
                (
                    "M262 556 Q268 566 280 570",
                    "M458 556 Q452 566 440 570",
                    "M248 520 L234 514",
                    "M249 533 L234 534",
                    "M472 520 L486 514",
                    "M471 533 L486 534",
                ),
                skin.line,
                3,
                0.45,
            )
        }
    {lines(("M306 606 Q292 632 302 662", "M414 606 Q428 632 418 662"), skin.line, 4, 0.5)}
    {lines(("M318 432 Q360 424 402 432"), skin.line, 3, 0.22)}
    {mouth(skin, 47, 9)}
    <circle cx="360" cy="466" r="13" fill="#b3202c"/><circle cx="356" cy="462" r="4" fill="#fff" opacity=".35"/>
    {glasses("#d79a2b", 53, 50, 50, 6)}
    <g fill="#e9b13c"><circle cx="210" cy="590" r="11"/><circle cx="510" cy="590" r="11"/>
      <path d="M198 606 h24 l8 34 q-20 16 -40 0 Z"/><path d="M498 606 h24 l8 34 q-20 16 -40 0 Z"/></g>
    <g fill="#b3202c"><circle cx="210" cy="622" r="5"/><circle cx="510" cy="622" r="5"/></g></g>""",
    )


# Otto: at dusk, his lamp behind him


def otto() -> str:
    """Grey beard, square glasses, a navy jacket and a coral bow tie."""
    skin = Skin("#f3cdb2", "#e9b997", "#c08a68", "#94593f", "#d9704f", "#b8604f", "#cc7865")
    beams = "".join(
        '<path d="M360 480 L{} {} L{} {} Z"/>'.format(
            *around(360, 480, 1000, angle), *around(360, 480, 1000, angle + w)
        )
        for angle, w in ((-104, 22), (-60, 16), (-24, 12), (12, 12), (44, 16), (82, 22))
    )
    waves = "".join(
        f'<path d="M{-60 + (i % 2) * 45} {880 + 40 * i}'
        + " q22 -16 45 0 t45 0" * 10
        + f'" opacity="{0.5 - i * 0.04:.2f}"/>'
        for i in range(9)
    )
    definitions = """
      <linearGradient id="dusk" x2="0" y2="1"><stop stop-color="#16294a"/><stop offset=".45" stop-color="#35588c"/>
        <stop offset=".66" stop-color="#e9a184"/><stop offset=".67" stop-color="#21406b"/>
        <stop offset="1" stop-color="#122443"/></linearGradient>
      <radialGradient id="lamp"><stop stop-color="#fff4d0" stop-opacity=".95"/><stop offset=".45" stop-color="#ffe2a0"
        stop-opacity=".55"/><stop offset="1" stop-color="#ffd27a" stop-opacity="0"/></radialGradient>
      <linearGradient id="coat" x2="1" y2="1"><stop stop-color="#2f4f7f"/><stop offset="1" stop-color="#172c4e"/>
      </linearGradient>"""
    stars = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}"/>'
        for x, y, r in ((70, 90, 3), (150, 210, 2), (250, 70, 2), (560, 110, 3), (650, 240, 2), (470, 60, 2), (620, 50, 2),
                        (48, 330, 2), (690, 380, 3))
    )  # fmt: skip
    beard, dark = "#8d9097", "#6d7078"
    return picture(
        skin,
        definitions,
        f"""
    <rect width="720" height="1280" fill="url(#dusk)"/><g fill="#fff" opacity=".8">{stars}</g>
    <g fill="#ffe7b0" opacity=".17">{beams}</g><circle cx="360" cy="480" r="420" fill="url(#lamp)"/>
    <g fill="none" stroke="#8fb0d8" stroke-width="4">{waves}</g>
    {neck(skin)}
    <path d="M20 1280 C28 1040 96 916 262 846 L360 900 L458 846 C624 916 692 1040 700 1280 Z" fill="url(#coat)"/>
    <path d="M262 830 Q360 930 458 830 L470 1280 H250 Z" fill="#f6f3ec"/>
    <path d="M262 900 L360 1010 L458 900 L480 1280 H240 Z" fill="#c9a24b"/>
    <path d="M262 900 L360 1010 L458 900 L466 960 L360 1076 L254 960 Z" fill="#dcb963"/>
    <g fill="#8a6a22"><circle cx="360" cy="1110" r="9"/><circle cx="360" cy="1180" r="9"/>
      <circle cx="360" cy="1250" r="9"/></g>
    <path d="M262 846 L196 930 L236 980 L214 1010 L300 1280 H20 C28 1040 96 916 262 846 Z" fill="#24406b"/>
    <path d="M458 846 L524 930 L484 980 L506 1010 L420 1280 H700 C692 1040 624 916 458 846 Z" fill="#1b3256"/>
    {
            lines(
                ("M262 850 L198 930 L238 980 L216 1010 L302 1278", "M458 850 L522 930 L482 980 L504 1010 L418 1278"),
                "#5f7fb0",
                3,
                0.6,
            )
        }
    <g transform="translate(0 46)">
    {head(skin)}
    <path d="M222 470 C204 380 250 268 372 262 C470 258 528 340 502 474 C496 430 480 398 452 380 C400 392 320 384 282 352
      C262 380 236 410 222 470 Z" fill="{beard}"/>
    <path d="M284 352 C320 384 402 392 452 380 C480 398 496 430 502 474 C524 350 476 262 380 262 C420 300 380 350 284 352
      Z" fill="#7d8088"/>
    {
            lines(
                (
                    "M270 344 C300 300 350 280 400 286",
                    "M262 356 C270 320 300 292 340 276",
                    "M300 360 C350 372 410 366 450 340",
                    "M330 356 C380 356 430 340 462 312",
                ),
                "#b9bcc2",
                4,
                0.7,
            )
        }
    <path d="M216 500 C214 560 226 580 238 592 C262 580 282 606 300 618 C330 604 348 622 360 622 C372 622 390 604 420 618
      C438 606 458 580 482 592 C494 580 506 560 504 500 C524 620 500 742 440 786 Q360 836 280 786 C220 742 196 620 216 500 Z"
      fill="{beard}"/>
    <path d="M504 500 C524 620 500 742 440 786 Q400 812 360 812 C430 760 470 690 482 592 C494 580 506 560 504 500 Z"
      fill="{dark}" opacity=".75"/>
    <ellipse cx="360" cy="659" rx="60" ry="20" fill="{dark}" opacity=".55"/>
    {mouth(skin, 42, 5)}
    <path d="M360 622 C332 616 300 622 276 658 C306 648 338 652 360 642 C382 652 414 648 444 658 C420 622 388 616 360 622 Z"
      fill="#9da0a7"/>
    {
            lines(
                (
                    "M262 640 C262 700 286 752 320 780",
                    "M290 684 C300 730 320 768 344 790",
                    "M330 700 C336 740 346 776 358 796",
                    "M458 640 C458 700 434 752 400 780",
                    "M430 684 C420 730 400 768 376 790",
                    "M240 620 C236 660 246 710 266 744",
                    "M390 700 C384 740 374 776 362 796",
                ),
                "#b9bcc2",
                4,
                0.55,
            )
        }
    {lines(("M346 632 C326 632 306 638 290 650", "M374 632 C394 632 414 638 430 650"), "#c9ccd1", 3, 0.7)}
    {eyes("#5b7fa3", "#4a3a35", "#75787f", smile=1, brows=12, lift=-6)}
    {lines(("M310 432 Q360 422 410 432", "M320 410 Q360 402 400 410"), skin.line, 3, 0.25)}
    {lines(("M264 572 Q276 584 292 584", "M456 572 Q444 584 428 584"), skin.line, 3, 0.35)}
    {glasses("#3a2f2b", 51, 37, 16, 7)}
    </g>
    <path d="M244 840 L252 902 L330 950 L360 884 L390 950 L468 902 L476 840 L444 810 L360 884 L276 810 Z" fill="#fffdf8"/>
    <path d="M360 884 L390 950 L468 902 L476 840 L444 810 Z" fill="#e2dccf"/>
    <g transform="translate(0 52)"><path d="M360 852 L268 812 Q250 856 268 902 Z M360 852 L452 812 Q470 856 452 902 Z" fill="#e2725b"/>
      <path d="M360 852 L452 812 Q470 856 452 902 Z" fill="#b94f3c" opacity=".6"/>
      <rect x="340" y="830" width="40" height="46" rx="12" fill="#c95d48"/>
      <g fill="#f7d9cf"><circle cx="290" cy="842" r="5"/><circle cx="296" cy="872" r="5"/><circle cx="318" cy="856" r="5"/>
        <circle cx="430" cy="842" r="5"/><circle cx="424" cy="872" r="5"/><circle cx="402" cy="856" r="5"/></g></g>""",
    )


# Juno: under the awning of her shop


def juno() -> str:
    """A cloud of curls in a coral scarf, golden hoops, a white jacket."""
    skin = Skin("#9a6343", "#85512f", "#5c331c", "#43220f", "#b8472f", "#8c3a35", "#a84c46")
    curls = []
    for ring, (radius, size, count) in enumerate(((196, 58, 17), (150, 56, 13), (104, 52, 9))):
        for i in range(count):
            x, y = around(360, 370, radius, -118 + 236 * i / (count - 1) + ring * 3)
            fill = ("#2b1712", "#3a2019", "#321b15")[(i + ring) % 3]
            curls.append(f'<circle cx="{x}" cy="{y}" r="{size}" fill="{fill}"/>')
            curls.append(
                f'<path d="M{x - 22} {y + 8} a24 24 0 0 1 40 -22 a15 15 0 0 1 -20 20" fill="none" stroke="#6b4030"'
                ' stroke-width="5" stroke-linecap="round" opacity=".75"/>'
            )
    stripes = "".join(
        f'<path d="M{x} 0 h90 v128 a45 45 0 0 1 -90 0 Z" fill="{"#d9485f" if i % 2 == 0 else "#fff6ee"}"/>'
        for i, x in enumerate(range(0, 720, 90))
    )
    sprinkles = "".join(
        f'<rect x="{x}" y="{y}" width="34" height="11" rx="5.5" fill="{colour}" transform="rotate({turn} {x} {y})"/>'
        for x, y, turn, colour in (
            (60, 300, 30, "#d9485f"), (120, 440, -40, "#f2a65a"), (44, 590, 70, "#7fb7a6"), (112, 730, 10, "#d9485f"),
            (640, 300, -30, "#7fb7a6"), (600, 250, 60, "#f2a65a"), (655, 470, 80, "#d9485f"), (610, 620, 20, "#f2a65a"),
            (660, 760, -50, "#7fb7a6"), (40, 850, -20, "#f2a65a"), (640, 890, 40, "#d9485f"),
        )
    )  # fmt: skip
    definitions = """
      <linearGradient id="wall" x2="0" y2="1"><stop stop-color="#ffd9a0"/><stop offset="1" stop-color="#ffb199"/>
      </linearGradient>
      <linearGradient id="coat" x2="1" y2="1"><stop stop-color="#ffffff"/><stop offset="1" stop-color="#e9dcd6"/>
      </linearGradient>
      <linearGradient id="fall" x2="0" y2="1"><stop stop-color="#7a2233" stop-opacity=".35"/>
        <stop offset="1" stop-color="#7a2233" stop-opacity="0"/></linearGradient>"""
    buttons = "".join(
        f'<circle cx="{x}" cy="{y}" r="13" fill="#d9485f"/><circle cx="{x - 4}" cy="{y - 4}" r="4" fill="#fff" opacity=".5"/>'
        for y in (1010, 1110, 1210)
        for x in (286, 434)
    )
    return picture(
        skin,
        definitions,
        f"""
    <rect width="720" height="1280" fill="url(#wall)"/>
    <circle cx="360" cy="520" r="330" fill="#fff3e2" opacity=".75"/>{sprinkles}
    <rect y="120" width="720" height="120" fill="url(#fall)"/>{stripes}
    <rect width="720" height="26" fill="#a92f47"/>
    <g transform="translate(0 46)">{"".join(curls)}</g>
    {neck(skin)}
    <path d="M30 1280 C40 1030 110 906 258 836 L360 926 L462 836 C610 906 680 1030 690 1280 Z" fill="url(#coat)"/>
    <path d="M268 826 L360 912 L452 826 L476 868 L392 980 L360 944 L328 980 L244 868 Z" fill="#fff"/>
    <path d="M360 912 L452 826 L476 868 L392 980 L360 944 Z" fill="#eadfd9"/>
    {lines(("M268 828 L360 914 L452 828", "M244 868 L328 980 L360 944 L392 980 L476 868", "M360 946 V1280"), "#cdb8af", 4)}
    {lines(("M120 1280 C124 1160 140 1080 172 1020", "M600 1280 C596 1160 580 1080 548 1020"), "#cdb8af", 4, 0.8)}
    {buttons}
    <g transform="translate(0 46)">
    {head(skin)}
    <path d="M214 470 C214 386 260 318 360 316 C460 318 506 386 506 470 C470 410 420 386 360 386 C300 386 250 410 214 470 Z"
      fill="#2b1712"/>
    <path d="M206 440 C216 330 290 282 360 282 C430 282 504 330 514 440 C500 380 440 340 360 340 C280 340 220 380 206 440 Z"
      fill="#d9485f"/>
    <path d="M360 282 C430 282 504 330 514 440 C500 380 440 340 360 340 Z" fill="#b8354c"/>
    {lines(("M222 404 C250 340 304 312 360 312", "M498 404 C470 340 416 312 360 312"), "#f28a98", 4, 0.8)}
    <g fill="#d9485f" stroke="#a92f47" stroke-width="3"><path d="M352 292 C312 226 262 214 248 238 C246 274 300 300 352 304 Z"/>
      <path d="M368 292 C408 226 458 214 472 238 C474 274 420 300 368 304 Z"/><circle cx="360" cy="296" r="21"/></g>
    {eyes("#3a1d10", "#1d0d08", "#25130d", smile=5, brows=7, lift=3)}
    {lines(("M269 524 L256 514", "M451 524 L464 514"), "#1d0d08", 5)}
    {lines(("M308 612 Q298 634 304 650", "M412 612 Q422 634 416 650"), skin.line, 3, 0.35)}
    {mouth(skin, 56, 16)}
    <g fill="none" stroke="#e8b64a" stroke-width="9"><circle cx="212" cy="622" r="40"/><circle cx="508" cy="622" r="40"/></g>
    <g fill="none" stroke="#fff1c4" stroke-width="3" opacity=".8"><path d="M182 600 A38 38 0 0 1 206 584"/>
      <path d="M478 600 A38 38 0 0 1 502 584"/></g></g>""",
    )


def main() -> None:
    """Draw each and keep it."""
    AVATARS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, drawn in (("asha", asha()), ("otto", otto()), ("juno", juno())):
            page.set_content(f'<body style="margin:0">{drawn}')
            image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            image.save(AVATARS / f"{name}.jpg", quality=QUALITY, optimize=True, subsampling="4:2:0")
        browser.close()


if __name__ == "__main__":
    main()
