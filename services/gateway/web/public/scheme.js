// Sets the colour scheme before the first paint. A file of its own, so that the page needs no inline script (CSP).
(function () {
  var scheme = 'auto';
  try {
    scheme = localStorage.getItem('centro.scheme') || 'auto';
  } catch (e) {
    // Storage is switched off: the system's scheme it is.
  }
  if (scheme !== 'light' && scheme !== 'dark')
    scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
})();
