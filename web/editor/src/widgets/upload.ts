import { ApiError, type Trouble, type Upload } from "../state/api";

/**
 * Bring a picture to the server. `progress` hears the part that has arrived, from 0 to 1; `fetch` would not tell it.
 * Raises `ApiError`.
 */
export function upload(picture: Blob, progress: (part: number) => void): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/uploads");
    request.responseType = "json";
    request.setRequestHeader(
      "Content-Type",
      picture.type.startsWith("image/") ? picture.type : "application/octet-stream",
    );
    request.upload.onprogress = (event) => progress(event.total > 0 ? event.loaded / event.total : 0);
    request.onload = () => (request.status === 201 ? resolve(request.response) : reject(refusal(request)));
    request.onerror = () => reject(new ApiError(0, []));
    request.send(picture);
  });
}

function refusal(request: XMLHttpRequest): ApiError {
  const told: Trouble[] = Array.isArray(request.response?.problems) ? request.response.problems : [];
  return new ApiError(request.status, told);
}

/** The first picture among what was dropped or pasted. */
export function pictureIn(data: DataTransfer | null): File | null {
  return [...(data?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? null;
}
