// Language of the page (?lang=, then the visitor's last choice, then the browser's) and the questions that open the chat.
const asked = new URLSearchParams(location.search).get('lang');
const remembered = () => {
  try {
    return localStorage.getItem('kite:lang');
  } catch {
    return null;
  }
};

function setLanguage(language) {
  document.documentElement.lang = language;
  document.title = language === 'zh' ? '风筝数码' : 'Kite Electronics';
  try {
    localStorage.setItem('kite:lang', language);
  } catch {
    // A browser without storage asks again on the next page.
  }
}

// Before the page is drawn, so that nobody sees the other language first.
const wanted = asked ?? remembered() ?? navigator.language;
setLanguage(wanted.toLowerCase().startsWith('zh') ? 'zh' : 'en');

document.addEventListener('DOMContentLoaded', () => {
  document.getElementById('language').addEventListener('click', () => {
    setLanguage(document.documentElement.lang === 'zh' ? 'en' : 'zh');
  });
  for (const button of document.querySelectorAll('[data-ask]')) {
    button.addEventListener('click', async () => {
      const question = button.querySelector(`[lang="${document.documentElement.lang}"]`).textContent;
      await customElements.whenDefined('frontdesk-chat');
      document.querySelector('frontdesk-chat').ask(question);
    });
  }
});
