# frozen_string_literal: true

# Pages and forms; the session counts what its owner has read.
class NotesController < ApplicationController
  before_action :find_note, only: %i[show edit update destroy]

  def index
    @notes = Note.order(id: :desc).limit(50)
    @read = session[:read].to_i
  end

  def show
    session[:read] = session[:read].to_i + 1
    Note.update_counters(@note.id, views: 1)
  end

  def new
    @note = Note.new
  end

  def edit; end

  def create
    @note = Note.new(note_params)
    return render :new, status: :unprocessable_entity unless @note.save

    redirect_to @note, notice: 'Saved.', status: :see_other
  end

  def update
    return render :edit, status: :unprocessable_entity unless @note.update(note_params)

    redirect_to @note, notice: 'Saved.', status: :see_other
  end

  def destroy
    @note.destroy!
    redirect_to root_path, notice: 'Gone.', status: :see_other
  end

  private

  def find_note
    @note = Note.find(params[:id])
  end

  def note_params
    params.require(:note).permit(:title, :body, :attachment)
  end
end
