// What of a page is hard to read: texts with too little contrast, pictures and links without words.
({
  // The least contrast between a text and what it stands on that WCAG 2.2 (AA) asks for is 4.5, for large
  // letters 3: https://www.w3.org/TR/WCAG22/#contrast-minimum
  pale() {
    const parse = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
    const over = (top, under) => {
      const share = top.length > 3 ? top[3] : 1;
      return [0, 1, 2].map((i) => top[i] * share + under[i] * (1 - share));
    };
    const luminance = (colour) => {
      const parts = colour.map((part) => part / 255);
      const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ancestors = (element) => {
      const found = [];
      for (let node = element; node; node = node.parentElement) found.unshift(getComputedStyle(node));
      return found;
    };
    const paper = matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
    const pale = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const words = walker.currentNode.textContent.trim();
      const element = walker.currentNode.parentElement;
      const skipped = !element.offsetParent || element.closest(".hidden, .skip, svg, option, [disabled]");
      if (!words || skipped) continue;
      const styles = ancestors(element);
      const style = styles.at(-1);
      const ground = styles.reduce((under, one) => over(parse(one.backgroundColor), under), paper);
      const ink = parse(style.color).concat(1).slice(0, 4);
      ink[3] *= styles.reduce((share, one) => share * Number(one.opacity), 1);
      const [more, less] = [luminance(over(ink, ground)), luminance(ground)].sort((a, b) => b - a);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const contrast = (more + 0.05) / (less + 0.05);
      if (contrast < (large ? 3 : 4.5)) pale.add(`${contrast.toFixed(2)} of "${words.slice(0, 40)}"`);
    }
    return [...pale];
  },
  nameless() {
    const pictures = [...document.querySelectorAll("img")].filter((one) => !one.alt && !one.closest("a.brand"));
    const doors = [...document.querySelectorAll("a, button, summary")].filter(
      (one) => one.offsetParent && !one.innerText.trim() && !one.querySelector('img[alt]:not([alt=""])'),
    );
    return [...pictures, ...doors].map((one) => one.outerHTML.slice(0, 200));
  },
})
