
// Of a page that stands alone the address says what is selected; in a frame, nothing does.
function lectrAddress() {
  if (window.top !== window) return null;
  return {
    read: () => location.hash.slice(1),
    write: text => {
      try {
        history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
      } catch { /* where an address cannot be changed, it stays */ }
    },
  };
}
