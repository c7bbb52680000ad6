const verdictOf = { d: "data set", m: "model", n: "neither", u: "" };
const articles = [...document.querySelectorAll("article")];
const key = "review " + document.title + " " + articles.length;
let verdicts = {};
try { verdicts = JSON.parse(localStorage.getItem(key)) || {}; } catch { /* private mode: nothing is remembered */ }
const text = article => article.querySelector(".text").textContent;
function show() {
  for (const article of articles) {
    const verdict = verdicts[text(article)] || "";
    article.dataset.verdict = verdict;
    article.querySelector(".verdict").textContent = verdict && verdict + " is right";
  }
  const given = Object.values(verdicts).filter(Boolean);
  const against = given.filter(verdict => verdict === "model").length;
  document.querySelector("#count").textContent = `${given.length} of ${articles.length} reviewed, ${against} for the model`;
}
function step(by) {
  const now = articles.indexOf(document.activeElement);
  articles[Math.min(Math.max(now + by, 0), articles.length - 1)]?.focus();
}
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key in verdictOf && articles.includes(document.activeElement)) {
    verdicts[text(document.activeElement)] = verdictOf[event.key];
    try { localStorage.setItem(key, JSON.stringify(verdicts)); } catch { /* as above */ }
    show();
    if (event.key !== "u") step(1);
  }
});
document.querySelector("#save").addEventListener("click", () => {
  // a spreadsheet takes what begins so for a formula (OWASP: CSV Injection)
  const quote = value => '"' + String(value).replace(/"/g, '""').replace(/^(?=[=+\-@\t\r\n＝＋－＠])/, "'") + '"';
  const row = a => [text(a), a.dataset.true, a.dataset.predicted, a.dataset.confidence, a.dataset.verdict];
  const lines = [["text", "data_set", "model", "confidence", "verdict"], ...articles.map(row)];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.map(line => line.map(quote).join(",")).join("\r\n")], { type: "text/csv" }));
  link.download = "verdicts.csv";
  link.click();
});
show();
