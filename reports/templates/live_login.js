"use strict";
document.getElementById("login").addEventListener("submit", async event => {
  event.preventDefault();
  const trouble = document.getElementById("trouble");
  trouble.textContent = "";
  try {
    const answer = await fetch("/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: document.getElementById("token").value.trim() }),
    });
    if (answer.ok) location.replace("/");
    else trouble.textContent = (await answer.json()).error;
  } catch { trouble.textContent = "The server does not answer."; }
});
