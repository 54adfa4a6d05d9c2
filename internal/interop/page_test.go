package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// hostileGreeting is what a server says that would like to be looked at.
const hostileGreeting = `220 <script>document.title="owned"</script><img src="http://evil.example/x" onerror="document.title='owned'">` +
	"</pre></style><b id=owned>\x1b[31mred \u202egnp.exe {{.Title}} javascript:alert(1)\r\n"

// labPage is the page of the lab's servers and of one that is hostile.
func labPage(t *testing.T) string {
	t.Helper()
	servers, err := lab.Start(context.Background())
	require.NoError(t, err)
	defer func() { require.NoError(t, servers.Close()) }()
	hostile, err := lab.Serve(context.Background(), lab.Neighbour{Name: "hostile", Protocol: "ftp"}, func(c net.Conn) {
		_, _ = io.WriteString(c, hostileGreeting)
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, hostile.Close()) }()

	var b bytes.Buffer
	w := report.NewHTML(&b, report.HTMLOptions{Rules: handclasp.Rules()})
	for _, n := range append(servers.Neighbours(), hostile.Neighbour) {
		for _, p := range handclasp.Probers() {
			if p.Spec().Protocol != n.Protocol {
				continue
			}
			o := &probe.Options{Level: probe.LevelAnonymous, RootCAs: servers.CA(), ImplicitTLS: probe.FactOf(n.ImplicitTLS), Limits: patience}
			target := probe.Target{Network: probe.TCP, Addr: n.Addr, Name: "localhost"}
			require.NoError(t, w.Write(finding.NewRecord(probe.Run(context.Background(), p, target, o), handclasp.Rules())))
		}
	}
	require.NoError(t, w.Close())
	return b.String()
}

// Expressions that ask the page what a visitor sees.
const (
	shownRows = `[...document.querySelectorAll("#rows > .row")].filter(r => r.checkVisibility())`
	shownIDs  = shownRows + `.map(r => r.dataset.id)`
	count     = `document.getElementById("count").textContent`
)

func TestPageInABrowser(t *testing.T) {
	html := labPage(t)
	b := openPage(t, html, true)
	all := strings.Count(html, `<div role="row" class="row `)
	require.Greater(t, all, 20)

	t.Run("renders, and hostile text is text", func(t *testing.T) {
		require.Equal(t, "handclasp report", eval[string](t, b, `document.title`))
		require.Len(t, eval[[]string](t, b, shownIDs), all)
		require.Equal(t, 0, eval[int](t, b, `document.querySelectorAll("img, iframe, object, #owned").length`))
		require.Equal(t, 1, eval[int](t, b, `document.scripts.length`))
		require.Contains(t, eval[string](t, b, `document.body.textContent`), `220 <script>document.title="owned"</script><img src="http://evil.example/x"`)
		require.Contains(t, eval[string](t, b, `document.body.textContent`), `\x1b[31mred \u202egnp.exe {{.Title}} javascript:alert(1)`)
		require.Equal(t, 0, eval[int](t, b, `[...document.links].filter(a => !/^(https:|file:)$/.test(a.protocol)).length`))
		b.quiet(t)
	})

	t.Run("filters", func(t *testing.T) {
		b.do(t, chromedp.SendKeys(chromedp.CSS("#text"), "ANONYMOUS-writable localhost"))
		require.Equal(t, []string{"ftp.anonymous-writable"}, eval[[]string](t, b, shownIDs))
		require.Equal(t, fmt.Sprintf("1 of %d findings", all), eval[string](t, b, count))
		b.do(t, chromedp.SendKeys(chromedp.CSS("#text"), " nothing has this"))
		require.True(t, eval[bool](t, b, `document.getElementById("none").checkVisibility()`))
		b.do(t, chromedp.Click(chromedp.CSS("#filters [type=reset]")))
		require.Eventually(t, func() bool { return len(eval[[]string](t, b, shownIDs)) == all }, startupTime, graceTime/100)

		b.do(t, chromedp.SendKeys(chromedp.CSS("#protocol"), "nntp"))
		ids := eval[[]string](t, b, shownIDs)
		require.Contains(t, ids, "nntp.exposed")
		require.NotContains(t, strings.Join(ids, " "), "ftp.")
		b.do(t, chromedp.Click(chromedp.CSS("[value=info]")))
		require.NotContains(t, eval[[]string](t, b, shownIDs), "nntp.exposed")
		b.do(t, chromedp.Click(chromedp.CSS("#filters [type=reset]")))
		require.Eventually(t, func() bool { return len(eval[[]string](t, b, shownIDs)) == all }, startupTime, graceTime/100)
	})

	t.Run("sorts", func(t *testing.T) {
		const ranks = shownRows + `.map(r => +r.dataset.rank)`
		const order = `[...document.querySelectorAll("[role=columnheader]")].map(h => h.getAttribute("aria-sort")).join(" ")`
		require.Equal(t, "descending none none none", eval[string](t, b, order))
		require.True(t, slices.IsSortedFunc(eval[[]int](t, b, ranks), func(x, y int) int { return y - x }))
		b.do(t, chromedp.Click(chromedp.CSS("[data-sort=id]")))
		require.Equal(t, "none ascending none none", eval[string](t, b, order))
		require.True(t, slices.IsSorted(eval[[]string](t, b, shownIDs)))
		b.do(t, chromedp.Click(chromedp.CSS("[data-sort=id]")))
		require.Equal(t, "none descending none none", eval[string](t, b, order))
		require.False(t, slices.IsSorted(eval[[]string](t, b, shownIDs)))
		b.do(t, chromedp.Click(chromedp.CSS("[data-sort=where]")))
		require.True(t, slices.IsSorted(eval[[]string](t, b, shownRows+`.map(r => r.dataset.where)`)))
		b.do(t, chromedp.Click(chromedp.CSS("[data-sort=severity]")))
		require.Equal(t, "descending none none none", eval[string](t, b, order))
		require.Len(t, eval[[]string](t, b, shownIDs), all)
	})

	t.Run("opens and closes", func(t *testing.T) {
		const open = `document.querySelectorAll("#rows details[open]").length`
		b.do(t, chromedp.Click(chromedp.CSS("#open")))
		require.Equal(t, all, eval[int](t, b, open))
		b.do(t, chromedp.Click(chromedp.CSS("#close")))
		require.Equal(t, 0, eval[int](t, b, open))
		b.do(t, chromedp.Click(chromedp.CSS("#rows .where a")))
		require.Eventually(t, func() bool {
			return eval[int](t, b, `document.querySelectorAll(".endpoints details[open]").length`) == 1
		},
			startupTime, graceTime/100)
	})

	// A link to a finding opens it, though it was filtered out; so does one that came from elsewhere.
	t.Run("leads to a finding", func(t *testing.T) {
		b.do(t, chromedp.SendKeys(chromedp.CSS("#text"), "nothing has this"))
		require.Empty(t, eval[[]string](t, b, shownIDs))
		b.do(t, chromedp.Click(chromedp.CSS(".panel a[href^='#finding-']")))
		const there = `(() => { const row = document.querySelector("#rows > .row:target"); return !!row && row.checkVisibility() && ` +
			`row.querySelector("details").open && row.contains(document.activeElement) })()`
		require.Eventually(t, func() bool { return eval[bool](t, b, there) }, startupTime, graceTime/100)
		b.do(t, chromedp.Click(chromedp.CSS("#close")))
		eval[chromedp.Void](t, b, `location.hash = document.querySelector("#rows > .row:not(:target)").id; undefined`)
		require.Eventually(t, func() bool { return eval[bool](t, b, there) }, startupTime, graceTime/100)
	})
	b.quiet(t)
}

// Everything can be reached and worked by keys, and one sees where one is.
func TestPageByKeyboard(t *testing.T) {
	b := openPage(t, labPage(t), true)
	const here = `(document.activeElement.id || document.activeElement.dataset.sort || document.activeElement.name || document.activeElement.type ` +
		`|| document.activeElement.className || document.activeElement.localName)`
	overview := eval[int](t, b, `[...document.querySelectorAll(".overview a, .overview summary")].filter(e => e.checkVisibility()).length`)
	require.Greater(t, overview, 8, "the severe findings, the rest folded, and the host")
	var path []string
	for range 2 + overview + 14 {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		path = append(path, eval[string](t, b, here))
		require.Equal(t, "solid", eval[string](t, b, `getComputedStyle(document.activeElement).outlineStyle`), path)
	}
	require.Equal(t, "skip theme", strings.Join(path[:2], " "))
	require.Equal(t, "text protocol severity severity severity severity open close reset severity id where known summary", strings.Join(path[2+overview:], " "))
	b.do(t, chromedp.KeyEvent(kb.Enter))
	require.True(t, eval[bool](t, b, `document.querySelector("#rows details").open`))
	b.do(t, chromedp.KeyEvent(" "))
	require.False(t, eval[bool](t, b, `document.querySelector("#rows details").open`))

	b.do(t, chromedp.Focus(chromedp.CSS("[data-sort=id]")), chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "ascending", eval[string](t, b, `document.activeElement.parentElement.getAttribute("aria-sort")`))
	b.do(t, chromedp.Focus(chromedp.CSS(".skip")), chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "findings", eval[string](t, b, here))
	b.do(t, chromedp.KeyEvent(kb.Tab))
	require.Equal(t, "text", eval[string](t, b, here))
	b.quiet(t)
}

// contrasts returns each text that is hard to tell from what is behind it: less than WCAG 2.2's level AA asks for. A
// canvas makes numbers of colours however they are written.
const contrasts = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgb = color => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = c => {
    const [r, g, b] = [c[0], c[1], c[2]].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c[3] === 255) return c;
    }
    return [255, 255, 255];
  };
  const bad = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; n = walk.nextNode();) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility() || e.closest("script")) continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.add(e.localName + "." + e.className + " " + ratio.toFixed(2));
  }
  return [...bad];
})()`

// The page suits both themes and narrow windows, and can be seen: go test -artifacts keeps the pictures.
func TestPageLooks(t *testing.T) {
	b := openPage(t, labPage(t), true)
	const back = `getComputedStyle(document.body).backgroundColor`
	backs := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.theme(t, "screen", scheme)
		backs[scheme] = eval[string](t, b, back)
		for _, open := range []bool{false, true} {
			eval[chromedp.Void](t, b, fmt.Sprintf(`document.querySelectorAll("details").forEach(d => d.open = %v)`, open))
			require.Empty(t, eval[[]string](t, b, contrasts), scheme)
			for _, width := range []int64{1280, 400} {
				b.do(t, chromedp.EmulateViewport(width, 1600))
				require.LessOrEqual(t, eval[int64](t, b, `document.documentElement.scrollWidth`), width, "nothing sticks out")
				picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
				require.NoError(t, err)
				name := fmt.Sprintf("%s-%d-open-%v.png", scheme, width, open)
				require.NoError(t, os.WriteFile(filepath.Join(t.ArtifactDir(), name), picture, 0o600))
				painted(t, picture)
			}
		}
	}
	require.NotEqual(t, backs["light"], backs["dark"])

	// The button goes round, whatever the system prefers.
	b.theme(t, "screen", "light")
	for _, want := range []string{"light", "dark", "light"} { // chosen, chosen, the system's
		b.do(t, chromedp.Click(chromedp.CSS("#theme")))
		require.Equal(t, backs[want], eval[string](t, b, back))
	}
	b.quiet(t)
}

// painted fails if a picture shows next to nothing.
func painted(t *testing.T, picture []byte) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	colours := map[any]bool{}
	for y := 0; y < img.Bounds().Dy(); y += 3 {
		for x := 0; x < img.Bounds().Dx(); x += 3 {
			colours[img.At(x, y)] = true
		}
	}
	require.Greater(t, len(colours), 50)
}

// Everything is on paper, and everything is there without a script.
func TestPageOnPaperAndWithoutScript(t *testing.T) {
	html := labPage(t)
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script %v", script), func(t *testing.T) {
			b := openPage(t, html, script)
			require.Equal(t, script, eval[bool](t, b, `document.getElementById("filters").checkVisibility()`))
			require.Equal(t, script, eval[bool](t, b, `document.getElementById("theme").checkVisibility()`))
			const hidden = `[...document.querySelectorAll(".more")].filter(m => !m.checkVisibility()).length`
			require.Positive(t, eval[int](t, b, hidden), "on a screen they are closed")
			b.theme(t, "print", "dark")
			require.Equal(t, 0, eval[int](t, b, hidden), "on paper nothing is")
			require.False(t, eval[bool](t, b, `document.getElementById("filters").checkVisibility()`))
			require.Empty(t, eval[[]string](t, b, contrasts), "ink on white, whatever the theme")

			paper, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(t.ArtifactDir(), "paper.pdf"), paper, 0o600))
			require.Greater(t, bytes.Count(paper, []byte("/Type /Page\n")), 5, "two dozen proofs fill some pages")
			if script {
				require.Eventually(t, func() bool { return eval[int](t, b, `document.querySelectorAll("details[open]").length`) == 0 },
					startupTime, graceTime/100, "and afterwards all is as it was")
			}
			b.quiet(t)
		})
	}
}
